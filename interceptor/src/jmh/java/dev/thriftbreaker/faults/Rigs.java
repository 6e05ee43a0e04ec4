package dev.thriftbreaker.faults;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Several variants at the same time, for what needs time rather than load. */
final class Rigs implements AutoCloseable, Iterable<Rig> {

  private final List<Rig> all = new ArrayList<>();

  /** The rates of the setup are shared out. */
  Rigs(List<Variant> variants, Rig.Setup setup, Path logs) throws IOException {
    try {
      for (Variant variant : variants) {
        all.add(new Rig(variant, setup.times(1.0 / variants.size()), logs));
      }
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  @Override
  public Iterator<Rig> iterator() {
    return all.iterator();
  }

  @Override
  public void close() throws IOException {
    for (Rig rig : all) {
      rig.close();
    }
  }
}
