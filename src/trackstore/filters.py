"""Filter and order text, as MLflow's users write it, to comparisons and sort fields.

    metrics.`val loss` < 0.3 AND params.model = 'tree' AND tags.note LIKE '%draft%'

Clauses are joined by AND alone.  Keywords ignore case, names do not.  A key may stand bare, in
backticks or in double quotes; text in single or double quotes, where the quote doubled means
itself; numbers bare.  `trackstore.search` says what a comparison means.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NoReturn, get_args

from msgspec import Struct

from trackstore import limits
from trackstore.errors import InvalidRequest
from trackstore.model import RUN_NAME, Comparison, Entity, Operator, OrderBy

TEXT_OPERATORS = ("=", "!=", "LIKE", "ILIKE")
LIST_OPERATORS = ("IN", "NOT IN")
NULL_OPERATORS = ("IS NULL", "IS NOT NULL")
NUMBER_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")

OPERATORS: Mapping[str, Operator] = {operator: operator for operator in get_args(Operator)}

RUN_TEXTS = ("run_id", "user_id", "status", "artifact_uri")
RUN_NUMBERS = ("start_time", "end_time")


class Grammar(Struct, frozen=True):
    """What may be named in the filters and orders of one kind of thing."""

    prefixes: Mapping[str, Entity]
    attributes: Mapping[str, Sequence[str]]
    """The operators of each attribute."""
    aliases: Mapping[str, tuple[Entity, str]]
    """Names that stand for another field."""
    entities: Mapping[str, Sequence[str]]
    """The operators of each entity that has keys of its own."""
    unordered: frozenset[Entity] = frozenset()
    """Entities that cannot be sorted by."""

    def operators(self, entity: Entity, key: str) -> Sequence[str]:
        return self.attributes[key] if entity == "attribute" else self.entities[entity]


TAGS: Mapping[str, Entity] = {"tag": "tag", "tags": "tag"}
ATTRIBUTES: Mapping[str, Entity] = dict.fromkeys(("attribute", "attributes", "attr"), "attribute")

RUNS = Grammar(
    prefixes={
        **TAGS,
        **ATTRIBUTES,
        "run": "attribute",
        **dict.fromkeys(("metric", "metrics"), "metric"),
        **dict.fromkeys(("param", "params", "parameter", "parameters"), "param"),
        **dict.fromkeys(("dataset", "datasets"), "dataset"),
    },
    attributes={
        **dict.fromkeys(RUN_TEXTS, TEXT_OPERATORS),
        **dict.fromkeys(RUN_NUMBERS, NUMBER_OPERATORS),
        "run_id": TEXT_OPERATORS + LIST_OPERATORS,
    },
    aliases={
        **dict.fromkeys(("run_name", "run name", "Run name", "Run Name"), ("tag", RUN_NAME)),
        **dict.fromkeys(("created", "Created"), ("attribute", "start_time")),
    },
    entities={
        "metric": NUMBER_OPERATORS,
        "param": TEXT_OPERATORS + NULL_OPERATORS,
        "tag": TEXT_OPERATORS + NULL_OPERATORS,
        "dataset": TEXT_OPERATORS + LIST_OPERATORS,
    },
    unordered=frozenset({"dataset"}),
)

EXPERIMENTS = Grammar(
    prefixes={**TAGS, **ATTRIBUTES},
    attributes={
        "name": TEXT_OPERATORS,
        "experiment_id": ("=", "!=", *LIST_OPERATORS),
        "creation_time": NUMBER_OPERATORS,
        "last_update_time": NUMBER_OPERATORS,
    },
    aliases={},
    entities={"tag": TEXT_OPERATORS + NULL_OPERATORS},
    unordered=frozenset({"tag"}),
)

DATASET_FIELDS = ("name", "digest", "context")

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    | (?P<name>[^\W\d][\w.\-/:]*(?:(?<=\.)(?:`[^`]*`|"[^"]*"))?)
    | (?P<quoted>`[^`]*`|"(?:[^"]|"")*"|'(?:[^']|'')*')
    | (?P<symbol><=|>=|!=|[=<>(),])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)


class _Token(Struct, frozen=True):
    kind: str
    text: str
    start: int


@lru_cache(maxsize=1024)
def parse_run_filter(text: str) -> tuple[Comparison, ...]:
    """Return the clauses of a filter over runs; an empty text has none.

    Raises `InvalidRequest` with a pointer to the offending place, and `LimitExceeded` for a
    filter of more than 100,000 code points or 100 clauses.
    """
    return parse_filter(text, RUNS)


@lru_cache(maxsize=1024)
def parse_experiment_filter(text: str) -> tuple[Comparison, ...]:
    """Return the clauses of a filter over experiments, as `parse_run_filter` does for runs."""
    return parse_filter(text, EXPERIMENTS)


def parse_filter(text: str, grammar: Grammar) -> tuple[Comparison, ...]:
    """Return the clauses of a filter in a grammar, as `parse_run_filter` does for runs."""
    return _Parser(text, grammar, "filter").comparisons()


def parse_run_order(texts: Sequence[str]) -> tuple[OrderBy, ...]:
    """Return the sort fields of texts such as "metrics.loss DESC".

    Raises `InvalidRequest` for an unknown field and for one that is named twice.
    """
    return parse_order(texts, RUNS)


def parse_experiment_order(texts: Sequence[str]) -> tuple[OrderBy, ...]:
    """Return the sort fields for experiments, as `parse_run_order` does for runs."""
    return parse_order(texts, EXPERIMENTS)


def parse_order(texts: Sequence[str], grammar: Grammar) -> tuple[OrderBy, ...]:
    """Return the sort fields in a grammar, as `parse_run_order` does for runs."""
    limits.check_size("order_by", texts, limits.ORDER_FIELDS)
    found = tuple(_Parser(text, grammar, "order_by").order() for text in texts)
    fields = [(order.entity, order.key) for order in found]
    for entity, key in fields:
        if fields.count((entity, key)) > 1:
            raise InvalidRequest(f"order_by: {entity} {key!r} is named twice")
    return found


class _Parser:
    """A recursive descent over the tokens of one text; `now` is the token to be read next."""

    def __init__(self, text: str, grammar: Grammar, what: str) -> None:
        self.text = limits.check_text(what, text, limits.FILTER_TEXT)
        self.grammar = grammar
        self.what = what
        self.now = self._token_at(0)

    def comparisons(self) -> tuple[Comparison, ...]:
        found = [] if self._at_end() else [self._comparison()]
        while not self._at_end():
            self._take_word("AND")
            found.append(self._comparison())
            limits.check_size(self.what, found, limits.FILTER_CLAUSES)
        return tuple(found)

    def order(self) -> OrderBy:
        start = self.now
        entity, key = self._field()
        if entity in self.grammar.unordered:
            self._fail(f"sorting by a {entity} is not possible", start)
        direction = "ASC" if self._at_end() else self._advance().text.upper()
        if direction not in {"ASC", "DESC"} or not self._at_end():
            self._fail("expected ASC, DESC or the end after the field", self.now)
        return OrderBy(entity, key, descending=direction == "DESC")

    def _comparison(self) -> Comparison:
        entity, key = self._field()
        allowed = self.grammar.operators(entity, key)
        start = self.now
        operator = self._operator()
        if operator not in allowed:
            self._fail(f"{entity} {key!r} is compared by {', '.join(allowed)}", start)
        return Comparison(entity, key, operator, self._value(operator, allowed))

    def _field(self) -> tuple[Entity, str]:
        token = self._advance()
        if token.kind == "name":
            prefix, dot, key = token.text.partition(".")
        elif token.kind == "quoted" and not token.text.startswith("'"):
            prefix, dot, key = token.text, "", ""
        else:
            self._fail("expected a field such as metrics.loss, params.`a b` or status", token)
        if not dot:
            return self._attribute(_unquoted(prefix), token)
        if prefix not in self.grammar.prefixes:
            self._fail(f"expected one of {', '.join(self.grammar.prefixes)} before the dot", token)
        entity = self.grammar.prefixes[prefix]
        if entity == "attribute":
            return self._attribute(_unquoted(key), token)
        if entity == "dataset" and key not in DATASET_FIELDS:
            self._fail(f"a dataset has {', '.join(DATASET_FIELDS)}", token)
        if not key:
            self._fail(f"expected a key after {token.text}", token)
        return entity, _unquoted(key)

    def _attribute(self, name: str, token: _Token) -> tuple[Entity, str]:
        if name in self.grammar.aliases:
            return self.grammar.aliases[name]
        if name not in self.grammar.attributes:
            known = ", ".join(self.grammar.attributes)
            self._fail(f"there is no attribute {limits.shown(name)}; there are {known}", token)
        return "attribute", name

    def _operator(self) -> Operator:
        words = self._advance().text.upper()
        if words == "NOT":
            words = f"NOT {self._take_word('IN')}"
        elif words == "IS":
            words = "IS NOT NULL" if self._skip_word("NOT") else "IS NULL"
            self._take_word("NULL")
        if words not in OPERATORS:
            self._fail(f"expected one of {', '.join(OPERATORS)}", self.previous)
        return OPERATORS[words]

    def _value(
        self, operator: Operator, allowed: Sequence[str]
    ) -> str | int | float | tuple[str, ...] | None:
        if operator in NULL_OPERATORS:
            return None
        if operator in LIST_OPERATORS:
            return self._texts()
        return self._number() if allowed is NUMBER_OPERATORS else self._quoted()

    def _number(self) -> int | float:
        token = self._advance()
        if token.kind != "number":
            self._fail("expected a number without quotes", token)
        try:
            whole = int(token.text)
        except ValueError:
            return float(token.text)
        return whole if limits.MIN_INT64 <= whole <= limits.MAX_INT64 else float(whole)

    def _texts(self) -> tuple[str, ...]:
        self._take_symbol("(")
        found = [self._quoted()]
        while self.now.text == ",":
            self._advance()
            found.append(self._quoted())
        self._take_symbol(")")
        return tuple(found)

    def _quoted(self) -> str:
        token = self._advance()
        if token.kind != "quoted" or token.text.startswith("`"):
            self._fail("expected text in quotes", token)
        return _unquoted(token.text)

    def _at_end(self) -> bool:
        return self.now.kind == "end"

    def _take_symbol(self, symbol: str) -> None:
        if self._advance().text != symbol:
            self._fail(f"expected {symbol}", self.previous)

    def _take_word(self, word: str) -> str:
        if not self._skip_word(word):
            hint = ", the only way to join comparisons" if word == "AND" else ""
            self._fail(f"expected {word}{hint}", self.now)
        return word

    def _skip_word(self, word: str) -> bool:
        found = self.now.kind == "name" and self.now.text.upper() == word
        if found:
            self._advance()
        return found

    def _advance(self) -> _Token:
        self.previous = self.now
        self.now = self._token_at(self.now.start + len(self.now.text))
        return self.previous

    def _token_at(self, position: int) -> _Token:
        match = _TOKEN.match(self.text, position)
        if match is None or match.lastgroup is None:
            start = position + len(self.text[position:]) - len(self.text[position:].lstrip())
            self._fail("cannot read this", _Token("", "", start))
        kind = match.lastgroup
        return _Token(kind, match[kind], match.start(kind))

    def _fail(self, problem: str, token: _Token) -> NoReturn:
        line = self.text[max(0, token.start - 60) : token.start + 60]
        pointer = " " * min(60, token.start)
        line = "".join(mark if mark.isprintable() else " " for mark in line)
        raise InvalidRequest(
            f"{self.what}: {problem}, at position {token.start}\n  {line}\n  {pointer}^"
        )


def _unquoted(text: str) -> str:
    quote = text[:1]
    return text[1:-1].replace(quote * 2, quote) if quote in {"`", "'", '"'} else text
