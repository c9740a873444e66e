"""sweep: one bounded pass that asks Bland about everything doubtful and returns it to a legal state; never dials."""
