package dev.thriftbreaker.thrift;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransportException;

/**
 * A TSocket that speaks TLS, for a {@link ClientPool}. Unlike those of TSSLTransportFactory it
 * connects when it is opened, so that a call's deadline covers connecting and the handshake, and it
 * checks that the certificate is the host's. {@link #getSocket()} is the socket under TLS: closing
 * it frees a thread that reads or writes at once, where closing a TLS socket can wait for a peer
 * that does not read.
 */
public final class TlsSocket extends TSocket {

  private final String host;
  private final int port;
  private final SSLContext context;

  /**
   * Connects to nothing yet.
   *
   * @param host the host's name, as in its certificate
   * @param port its port
   * @param context whom to trust, and who this is
   * @throws TTransportException never; TSocket's constructor declares it
   */
  public TlsSocket(String host, int port, SSLContext context) throws TTransportException {
    super(host, port);
    this.host = host;
    this.port = port;
    this.context = Objects.requireNonNull(context, "context");
  }

  /**
   * Connects and shakes hands.
   *
   * @throws TTransportException if either fails
   */
  @Override
  public void open() throws TTransportException {
    super.open();
    try {
      SSLSocket tls =
          (SSLSocket) context.getSocketFactory().createSocket(getSocket(), host, port, true);
      SSLParameters parameters = tls.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      tls.setSSLParameters(parameters);
      tls.startHandshake();
      inputStream_ = new BufferedInputStream(tls.getInputStream());
      outputStream_ = new BufferedOutputStream(tls.getOutputStream());
    } catch (IOException e) {
      close();
      throw new TTransportException(TTransportException.NOT_OPEN, e);
    }
  }
}
