import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.Properties;

/** Asks as a BI tool on the JDBC driver does: the connection's properties come on stdin, the questions as arguments. */
public final class Query {
    private Query() {
    }

    /** Prints each question's columns with their types, then its rows, a cell between tabs; or its error. */
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.load(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String url = (String) properties.remove("url");
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            for (String question : arguments) {
                answer(connection, question);
            }
        } catch (SQLException refused) {
            print(refused);
        }
    }

    private static void answer(Connection connection, String question) {
        try (ResultSet rows = ask(connection, question)) {
            ResultSetMetaData columns = rows.getMetaData();
            StringBuilder names = new StringBuilder("columns");
            for (int i = 1; i <= columns.getColumnCount(); i++) {
                names.append('\t').append(columns.getColumnName(i)).append(' ').append(columns.getColumnTypeName(i));
            }
            System.out.println(names);
            while (rows.next()) {
                StringBuilder row = new StringBuilder("row");
                for (int i = 1; i <= columns.getColumnCount(); i++) {
                    row.append('\t').append(rows.getString(i));
                }
                System.out.println(row);
            }
        } catch (SQLException refused) {
            print(refused);
        }
    }

    /** A question, or what a tool's navigator asks the driver: tables DATABASE SCHEMA, columns DATABASE SCHEMA TABLE. */
    private static ResultSet ask(Connection connection, String question) throws SQLException {
        String[] words = question.split(" ");
        switch (words[0]) {
            case "catalogs":
                return connection.getMetaData().getCatalogs();
            case "schemas":
                return connection.getMetaData().getSchemas(words[1], null);
            case "tables":
                return connection.getMetaData().getTables(words[1], words[2], null, null);
            case "columns":
                return connection.getMetaData().getColumns(words[1], words[2], words[3], null);
            default:
                // Closed with the connection: the driver knows no closeOnCompletion.
                return connection.createStatement().executeQuery(question);
        }
    }

    private static void print(SQLException refused) {
        refused.printStackTrace();
        System.out.println("error\t" + refused.getErrorCode() + "\t" + String.valueOf(refused.getMessage()).replace('\n', ' '));
    }
}
