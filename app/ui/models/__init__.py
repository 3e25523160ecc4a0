"""The models page: what there is, whether it fits, and everything that is done with it."""
