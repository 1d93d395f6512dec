"""The ways in: command line, HTTP, chat page. Thin; none imports another, `cli` composes them."""
