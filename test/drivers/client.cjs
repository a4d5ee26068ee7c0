// client.cjs DRIVER [FILE]: runs the cases of standard input, or the block of a page in FILE, by a driver of Node.js.
const fs = require('fs');

const scalars = {
    int: Number,
    // As applications write them: numbers, and strings where a number would be another one.
    bigint: text => Number.isSafeInteger(Number(text)) ? Number(text) : text,
    float: Number,
    text: String,
    json: JSON.parse,
    uuid: String,
    bool: text => text === 'true',
};

function value(parameter) {
    const colon = parameter.indexOf(':');
    const kind = parameter.slice(0, colon), text = parameter.slice(colon + 1);
    if (kind === 'null') return null;
    if (kind in scalars) return scalars[kind](text);
    return text === '' ? [] : text.split(',').map(scalars[kind.slice(0, -1)]);
}

async function connect(driver) {
    if (driver === 'postgres.js') {
        const { PGHOST, PGPORT, PGUSER, PGDATABASE } = process.env;
        const sql = require('postgres')({
            path: `${PGHOST}/.s.PGSQL.${PGPORT}`, username: PGUSER, database: PGDATABASE, max: 1, onnotice: () => {},
        });
        return { name: 'sql', object: sql, run: (text, values) => sql.unsafe(text, values).values(), end: () => sql.end() };
    }
    const { Client } = require('pg');
    const client = new Client();
    await client.connect();
    const run = async (text, values) => (await client.query({ text, values, rowMode: 'array' })).rows;
    return { name: 'client', object: client, run, end: () => client.end() };
}

async function main(driver, page) {
    const connection = await connect(driver);
    if (page) {
        const AsyncFunction = main.constructor;
        await new AsyncFunction(connection.name, fs.readFileSync(page, 'utf8'))(connection.object);
    } else {
        for (const line of fs.readFileSync(0, 'utf8').trimEnd().split('\n')) {
            const [name, statement, parameters] = line.split('\t');
            console.log(`# ${name}`);
            try {
                for (const row of await connection.run(statement, parameters.split(' ').map(value))) {
                    console.log(row.map(column => column === null ? 'null' : String(column)).join('|'));
                }
            } catch (error) {
                console.log(`ERROR: ${error.message}`);
            }
        }
    }
    await connection.end();
}

main(...process.argv.slice(2));
