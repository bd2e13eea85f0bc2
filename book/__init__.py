"""The book: a page and, of the same name, its room; what several pages use is in `book.shared`."""
