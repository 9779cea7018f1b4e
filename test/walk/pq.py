"""A connection to PostgreSQL over libpq, with all that an error says."""

import ctypes
import ctypes.util

libpq = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
for name, result, arguments in (
        ("PQconnectdb", ctypes.c_void_p, [ctypes.c_char_p]), ("PQstatus", ctypes.c_int, [ctypes.c_void_p]),
        ("PQerrorMessage", ctypes.c_char_p, [ctypes.c_void_p]), ("PQfinish", None, [ctypes.c_void_p]),
        ("PQexec", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]), ("PQclear", None, [ctypes.c_void_p]),
        ("PQresultErrorField", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int]),
        ("PQresultStatus", ctypes.c_int, [ctypes.c_void_p]),
        ("PQntuples", ctypes.c_int, [ctypes.c_void_p]), ("PQnfields", ctypes.c_int, [ctypes.c_void_p]),
        ("PQgetvalue", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
        ("PQgetisnull", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int])):
    function = getattr(libpq, name)
    function.restype = result
    function.argtypes = arguments

GOOD = (1, 2)  # PGRES_COMMAND_OK, PGRES_TUPLES_OK
FIELDS = "CMDHWstcdn"  # code, message, detail, hint, context, schema, table, column, type, constraint


class Answer:
    """What a statement came to: a code and text to compare and to search."""

    def __init__(self, result):
        self.ok = libpq.PQresultStatus(result) in GOOD
        self.rows = [[None if libpq.PQgetisnull(result, row, column) else libpq.PQgetvalue(result, row, column).decode()
                      for column in range(libpq.PQnfields(result))] for row in range(libpq.PQntuples(result))]
        fields = [libpq.PQresultErrorField(result, ord(field)) for field in FIELDS]
        self.error = "" if self.ok else "\n".join((field or b"").decode() for field in fields)
        libpq.PQclear(result)

    def __str__(self):
        return self.error or repr(self.rows)


class Connection:
    def __init__(self, url):
        self.pg = libpq.PQconnectdb(url.encode())
        if libpq.PQstatus(self.pg) != 0:
            raise RuntimeError(libpq.PQerrorMessage(self.pg).decode())

    def run(self, sql):
        return Answer(libpq.PQexec(self.pg, sql.encode()))

    def rows(self, sql):
        """The rows of a statement that has to work."""
        answer = self.run(sql)
        if not answer.ok:
            raise RuntimeError("%s: %s" % (sql, answer.error))
        return answer.rows

    def value(self, sql):
        return self.rows(sql)[0][0]

    def close(self):
        libpq.PQfinish(self.pg)
