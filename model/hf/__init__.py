"""The classes that `model.transformers_api` registers with transformers."""
