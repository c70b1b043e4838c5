"""The paper's tables and figures, each by its name."""
