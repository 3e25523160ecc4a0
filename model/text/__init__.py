"""Below the tokenizer: the vocabulary and its files, and stop strings in a stream."""
