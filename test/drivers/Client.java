// Client [page]: runs the cases of standard input, or the block of the page that was put into page(), by JDBC.
import java.io.*;
import java.net.*;
import java.nio.channels.*;
import java.sql.*;
import java.util.*;
import javax.net.SocketFactory;

public class Client {
    // The server of the tests listens on a Unix socket only, for which pgjdbc has no code of its own.
    public static class UnixSockets extends SocketFactory {
        public Socket createSocket() { return new UnixSocket(); }
        public Socket createSocket(String host, int port) { return createSocket(); }
        public Socket createSocket(String host, int port, InetAddress local, int localPort) { return createSocket(); }
        public Socket createSocket(InetAddress host, int port) { return createSocket(); }
        public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) { return createSocket(); }
    }

    static class UnixSocket extends Socket {
        private SocketChannel channel;

        @Override public void connect(SocketAddress endpoint, int timeout) throws IOException {
            String path = System.getenv("PGHOST") + "/.s.PGSQL." + System.getenv("PGPORT");
            channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
        }
        @Override public InputStream getInputStream() { return Channels.newInputStream(channel); }
        @Override public OutputStream getOutputStream() { return Channels.newOutputStream(channel); }
        @Override public boolean isConnected() { return channel != null; }
        @Override public void setTcpNoDelay(boolean on) {}
        @Override public void setKeepAlive(boolean on) {}
        @Override public void setSoTimeout(int timeout) {}
        @Override public int getSoTimeout() { return 0; }
        @Override public void close() throws IOException { if (channel != null) channel.close(); }
    }

    static Object scalar(String kind, String text) {
        return switch (kind) {
            case "int" -> Integer.valueOf(text);
            case "bigint" -> Long.valueOf(text);
            case "float" -> Double.valueOf(text);
            case "uuid" -> UUID.fromString(text);
            case "bool" -> Boolean.valueOf(text);
            default -> text;
        };
    }

    static void set(PreparedStatement statement, int index, String parameter) throws SQLException {
        String kind = parameter.substring(0, parameter.indexOf(':')), text = parameter.substring(kind.length() + 1);
        if (kind.equals("null")) {
            statement.setNull(index, Types.NULL);
        } else if (kind.endsWith("s")) {
            String element = kind.substring(0, kind.length() - 1);
            Object[] elements = text.isEmpty() ? new Object[0]
                : Arrays.stream(text.split(",")).map(part -> scalar(element, part)).toArray();
            String type = element.equals("int") ? "integer" : element.equals("float") ? "float8" : element;
            statement.setArray(index, statement.getConnection().createArrayOf(type, elements));
        } else {
            statement.setObject(index, scalar(kind, text));
        }
    }

    static void run(Connection connection, String sql, String[] parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql.replaceAll("\\$\\d+", "?"))) {
            for (int i = 0; i < parameters.length; i++) set(statement, i + 1, parameters[i]);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    StringJoiner line = new StringJoiner("|");
                    for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) line.add(String.valueOf(rows.getObject(i)));
                    System.out.println(line);
                }
            }
        }
    }

    static void page(Connection connection) throws SQLException {
        // PAGE
    }

    public static void main(String[] arguments) throws Exception {
        String url = "jdbc:postgresql://localhost/" + System.getenv("PGDATABASE") + "?user=" + System.getenv("PGUSER")
            + "&sslmode=disable&gssEncMode=disable&socketFactory=" + UnixSockets.class.getName();
        try (Connection connection = DriverManager.getConnection(url)) {
            if (arguments.length > 0) {
                page(connection);
                return;
            }
            BufferedReader cases = new BufferedReader(new InputStreamReader(System.in));
            for (String line = cases.readLine(); line != null; line = cases.readLine()) {
                String[] fields = line.split("\t");
                System.out.println("# " + fields[0]);
                try {
                    run(connection, fields[1], fields[2].split(" "));
                } catch (SQLException error) {
                    System.out.println(error.getMessage().split("\n")[0]);
                }
            }
        }
    }
}
