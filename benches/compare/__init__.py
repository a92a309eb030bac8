"""The rows of the comparison: ours and its peers on the same data in the same process."""
