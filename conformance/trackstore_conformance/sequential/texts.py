"""Texts that are easily taken for one another, or lost on the way."""

LOOK_ALIKE = (
    "name", "Name", "NAME", "name ", " name", "name\t", "name\n", "n\u0430me", "na\u200bme",
    "\ufeffname", "é", "e\u0301", "E\u0301", "É", "ß", "ss", "ﬁ", "fi", "İ", "i\u0307", "\u0131",
    "i", "\u212a", "k", "K", "Å", "\u212b", "a%", "a_", "ab", "1", "01", "1.0", "\uff11", "\u0667",
    "7",
)  # fmt: skip
"""No two are equal, and none is another's equal under folding that a store may do."""

HARD = (
    "", " ", "\t", "\r\n", "\n", "\x01", "\x1f", "\x7f", "\x85", "\xa0", "\u2028", "\ufffd",
    "\ufffe", "💥", "👩\u200d🚀", "\U0010ffff", "\u202eabc", "ключ", "鍵", "العربية", "'", '"', "`",
    "''", "\\", "\\'", "\\0", "\\n", "%", "_", "%s", "{}", "${x}", "a'; DROP TABLE runs; --",
    "<b>&amp;", "NULL", "null", "None", "nan", "true", "-0", "[]", "../..", "~", "a\u0301\u0302",
)  # fmt: skip
"""Texts that a store escapes, trims, decodes or refuses when it is careless."""

ALL = LOOK_ALIKE + HARD
