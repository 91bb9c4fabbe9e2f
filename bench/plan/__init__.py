"""What the simulation of `madina load simulate` predicts, beside what a machine does."""
