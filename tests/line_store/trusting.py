"""A server that looks at no checksum."""

from line_store.mutants import unchecked
from line_store.server import Handler, serve


class Trusting(Handler):
    parse = staticmethod(unchecked)


if __name__ == "__main__":
    serve(Trusting)
