"""One command per figure. Figures are printed, nothing is asserted: compare within one run, on one machine."""
