"""The outside parties as they behave, faults included: what `leadline up`, tests and benchmarks call.

One package per party, `bland` and `convoso`; they share clock, timers, ledger and faults.
The ledger is written from what is seen on the wire alone; nothing here asks Leadline what it meant.
"""
