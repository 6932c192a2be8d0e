// One session of the Node driver: reads how it logs in and what it is to do as JSON from stdin, writes what came of
// it as JSON, a line for each step.
const snowflake = require("snowflake-sdk");

snowflake.configure({ logLevel: "OFF", additionalLogToConsole: false });

function answer(steps) {
  process.stdout.write(JSON.stringify(steps) + "\n");
}

function connect(options) {
  const connection = snowflake.createConnection(options);
  return new Promise((done, failed) => connection.connect((error) => (error ? failed(error) : done(connection))));
}

function execute(connection, { sql, binds, streamed }) {
  return new Promise((done) => {
    connection.execute({
      sqlText: sql,
      binds,
      streamResult: Boolean(streamed),
      complete: (error, statement, rows) => {
        if (error) {
          done({ error: error.message, code: error.code, sqlState: error.sqlState });
          return;
        }
        const columns = (statement.getColumns() || []).map((column) => `${column.getName()} ${column.getType()}`);
        if (!streamed) {
          done({ columns, rows, updated: statement.getNumUpdatedRows(), id: statement.getQueryId() });
          return;
        }
        let count = 0;
        statement
          .streamRows()
          .on("data", () => (count += 1))
          .on("error", (fault) => done({ error: fault.message }))
          .on("end", () => done({ columns, count }));
      },
    });
  });
}

function cancelled(connection, { sql }) {
  return new Promise((done) => {
    const statement = connection.execute({
      sqlText: sql,
      complete: (error) => done(error ? { error: error.message, code: error.code } : { rows: [] }),
    });
    setTimeout(() => statement.cancel(() => {}), 500);
  });
}

async function main() {
  const { options, steps } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  let connection;
  try {
    connection = await connect(options);
  } catch (error) {
    answer({ error: error.message, code: error.code });
    return;
  }
  for (const step of steps) {
    answer(await (step.cancel ? cancelled(connection, step) : execute(connection, step)));
  }
  connection.destroy(() => process.exit(0));
}

main();
