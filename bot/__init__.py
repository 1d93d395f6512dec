"""How we talk: one question and its history in, one sourced reply out."""
