"""client.py DRIVER [FILE]: runs the cases of standard input, or the block of a page in FILE, by a driver of Python."""

import ast
import asyncio
import os
import re
import sys
import uuid

SCALARS = {
    "int": int, "bigint": int, "float": float, "text": str, "json": str, "uuid": uuid.UUID, "bool": lambda v: v == "true",
}


def value(parameter):
    kind, _, text = parameter.partition(":")
    if kind == "null":
        return None
    if kind in SCALARS:
        return SCALARS[kind](text)
    return [SCALARS[kind[:-1]](part) for part in text.split(",") if part]


def connect(driver):
    """A connection, and a function that runs a statement with parameters written $1, $2 ..."""
    if driver == "psycopg2":
        import psycopg2
        import psycopg2.extras

        psycopg2.extras.register_uuid()
        connection = psycopg2.connect("")
        connection.autocommit = True
    else:
        import psycopg

        connection = psycopg.connect("", autocommit=True)

    async def run(statement, values):
        order = [int(number) - 1 for number in re.findall(r"\$(\d+)", statement)]
        cursor = connection.cursor()
        cursor.execute(re.sub(r"\$\d+", "%s", statement), [values[i] for i in order])
        return cursor.fetchall()

    return connection, run


async def connect_asyncpg():
    import asyncpg

    connection = await asyncpg.connect(host=os.environ["PGHOST"])

    async def run(statement, values):
        return [tuple(row) for row in await connection.fetch(statement, *values)]

    return connection, run


async def main(driver, page=None):
    connection, run = await connect_asyncpg() if driver == "asyncpg" else connect(driver)
    if page:
        with open(page) as file:
            code = compile(file.read(), page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = eval(code, {"connection": connection})
        if done:
            await done
        return
    for line in sys.stdin:
        name, statement, parameters = line.rstrip("\n").split("\t")
        print("#", name)
        try:
            for row in await run(statement, [value(parameter) for parameter in parameters.split()]):
                print("|".join("null" if column is None else str(column) for column in row))
        except Exception as error:
            print("ERROR:", str(error).split("\n")[0])


asyncio.run(main(*sys.argv[1:]))
