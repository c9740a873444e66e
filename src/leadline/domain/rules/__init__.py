"""Pure rules: each a function of (now, facts) giving a decision with a reason code."""
