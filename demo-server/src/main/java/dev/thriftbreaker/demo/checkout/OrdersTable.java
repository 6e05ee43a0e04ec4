package dev.thriftbreaker.demo.checkout;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import org.h2.jdbcx.JdbcConnectionPool;

/** The orders, in an SQL database in memory. Thread-safe. */
final class OrdersTable implements AutoCloseable {

  private final JdbcConnectionPool connections =
      JdbcConnectionPool.create("jdbc:h2:mem:orders;DB_CLOSE_ON_EXIT=FALSE", "", "");

  OrdersTable() throws SQLException {
    connections.setMaxConnections(8);
    try (Connection connection = connections.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "create table if not exists orders (id varchar primary key, customer varchar, cents bigint,"
              + " payment varchar)");
    }
  }

  /** Writes an order; the same id again replaces it. */
  int insert(String id, String customer, long cents, String payment) throws SQLException {
    try (Connection connection = connections.getConnection();
        PreparedStatement statement =
            connection.prepareStatement("merge into orders key (id) values (?, ?, ?, ?)")) {
      statement.setString(1, id);
      statement.setString(2, customer);
      statement.setLong(3, cents);
      statement.setString(4, payment);
      return statement.executeUpdate();
    }
  }

  @Override
  public void close() {
    connections.dispose();
  }
}
