"""One file for each command of `madina`; each adds itself with `add_to`."""
