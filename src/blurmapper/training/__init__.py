"""Networks, training pairs, the training loop and export; needs the extra ``train``."""
