#!/usr/bin/env python3
"""Black-box tests of a running gateway.

    SPOOLED_URL=http://127.0.0.1:8080 SPOOLED_API_KEY=sk_test_... test/gateway/run.py [part of a test's name ...]

PSQL_URL, a superuser's connection to the same database, adds the tests that need settings or a second tenant.
The last line is "N passed, N failed".
"""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import client  # noqa: E402


class Result(unittest.TextTestResult):
    """Counts what passed, which unittest leaves to the reader."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main():
    if not client.API_KEY:
        sys.exit("SPOOLED_API_KEY is not set")
    loader = unittest.TestLoader()
    if len(sys.argv) > 1:
        loader.testNamePatterns = ["*%s*" % name for name in sys.argv[1:]]
    suite = loader.discover(os.path.dirname(os.path.abspath(__file__)), "test_*.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    failed = len(result.failures) + len(result.errors)
    if result.skipped:
        print("%d skipped" % len(result.skipped))
    print("%d passed, %d failed" % (result.passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
