"""One module for each of Docker's nouns; each lists its endpoints."""
