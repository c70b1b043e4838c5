"""The nine classical methods that the paper compares with: one file, one paper, one function."""
