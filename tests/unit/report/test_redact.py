"""What is secret in a URL is in no document, wherever it is quoted."""

import pytest

from sample_reports import CORE, failed, good_report, report
from trackstore_conformance.report import encode
from trackstore_conformance.report.html import page
from trackstore_conformance.report.redact import in_all_texts, redacted, scrubber, writable

URLS = {
    "sqlite:///{folder}/store.db": "sqlite:///{folder}/store.db",
    "postgresql://u:pw@h:5/db?sslmode=require&x": "postgresql://***@h:5/db?sslmode=***&x=***",
    "s3://bucket/a?key=K;secret=S": "s3://bucket/a?key=***&secret=***",
    "mysql+pymysql://only-user@h/db": "mysql+pymysql://***@h/db",
    "x://u:p/w?q@h": "x://***@h",
    "x://u:p#w@h/d#part": "x://***@h/d#part",
    "u:pw@h": "***@h",
    "": "",
    "://@": "://***@",
    "x://[::1": "x://[::1",
}


@pytest.mark.parametrize(("url", "shown"), URLS.items())
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    """Whatever the URL, and if it should have been encoded and is not."""
    assert redacted(url) == shown


SECRET = "postgresql://ada:s%23cret-1@db/x?password=hunter2&sslmode=require&token=abcd"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"cannot open {SECRET}!", f"cannot open {redacted(SECRET)}!"),
        ("auth of s%23cret-1 failed", "auth of *** failed"),
        ("auth of s#cret-1 failed", "auth of *** failed"),
        ("host=db password=hunter2", "host=db password=***"),
        ("'hunter2' and 'abcd'", "'***' and '***'"),
        ("ada:s#cret-1@elsewhere", "***@elsewhere"),
        ("it is required that ada waits", "it is required that ada waits"),
    ],
)
def test_a_text_is_cleared_of_secrets(said: str, shown: str) -> None:
    """Of the whole URL, of its parts as they are and decoded; ordinary words stay."""
    assert scrubber(SECRET)(said) == shown


@pytest.mark.parametrize("password", ["PASS", "core", "FAIL", "My Store", "B-PAR-02"])
def test_a_password_that_is_a_word_of_ours_breaks_nothing(password: str) -> None:
    """The report stays one, and its verdicts are what they were."""
    url = f"x://u:{password}@h"
    found = report(failed(CORE.id, reason=f"no {password}"), url=url)
    assert found.rules[0].verdict == "FAIL"
    assert found.rules[0].counterexample is not None
    assert found.rules[0].counterexample.said == "no ***"


def test_no_document_has_a_secret() -> None:
    """Neither where the store's own messages quote it, nor in a program or a history."""
    history = {"script": f"open({SECRET!r})", "detail": "hunter2\ns#cret-1"}
    found = report(failed(CORE.id, reason=f"at {SECRET}", **history), url=SECRET)
    stopped = good_report(url=SECRET, finished=False, stopped_by=f"Error({SECRET})")
    for each in (found, stopped):
        for text in (encode(each).decode(), page(each, lambda _: "")):
            for secret in ("hunter2", "s%23cret-1", "s#cret-1", "abcd"):
                assert secret not in text


def test_every_text_can_be_written() -> None:
    """Lone surrogates, which UTF-8 cannot hold, become escapes; all else stays."""
    assert writable("ä💥\ud800x") == "ä💥\\ud800x"
    changed = in_all_texts({"a\ud800": ["\udfff", 1, None, 0.5]}, writable)
    assert changed == {"a\\ud800": ["\\udfff", 1, None, 0.5]}
