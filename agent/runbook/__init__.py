"""Steps that a person wrote, in plain English or YAML, and the planner that follows them."""
