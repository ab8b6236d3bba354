import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.*;
import org.apache.zookeeper.data.Stat;

/** Apache's own client on the in-process server. Prints a line for each thing that went well. */
public class JavaClient {
  static volatile CountDownLatch connected = new CountDownLatch(1);
  static volatile CountDownLatch disconnected = new CountDownLatch(1);

  public static void main(String[] args) throws Exception {
    ZooKeeper zk = new ZooKeeper(args[0], 5000, JavaClient::noteState);
    demand(connected.await(5, TimeUnit.SECONDS), "connect");

    zk.create("/j", "one".getBytes(), ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    Stat stat = new Stat();
    demand(new String(zk.getData("/j", false, stat)).equals("one"), "read");
    demand(zk.setData("/j", "two".getBytes(), stat.getVersion()).getVersion() == 1, "version");
    try {
      zk.setData("/j", null, 0);
      throw new AssertionError("an old version was accepted");
    } catch (KeeperException.BadVersionException expected) {
      System.out.println("ok create, read, write");
    }

    String path =
        zk.create(
            "/j/s-", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL);
    demand(path.equals("/j/s-0000000000"), path);
    System.out.println("ok ephemeral and sequential znodes");

    CountDownLatch changed = new CountDownLatch(1);
    zk.getData("/j", event -> changed.countDown(), null);
    zk.setData("/j", "three".getBytes(), -1);
    demand(changed.await(5, TimeUnit.SECONDS), "watch");
    System.out.println("ok watch");

    List<OpResult> results =
        zk.transaction()
            .check("/j", 2)
            .create("/j/t", null, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT)
            .setData("/j", "four".getBytes(), -1)
            .commit();
    demand(results.size() == 3, "results");
    try {
      zk.transaction().delete("/j/t", -1).delete("/none", -1).commit();
      throw new AssertionError("a transaction that must fail");
    } catch (KeeperException.NoNodeException expected) {
      System.out.println("ok transaction");
    }

    CountDownLatch grown = new CountDownLatch(1);
    zk.addWatch(
        "/j",
        event -> {
          if ("/j/v".equals(event.getPath())) grown.countDown();
        },
        AddWatchMode.PERSISTENT_RECURSIVE);
    long session = zk.getSessionId();
    connected = new CountDownLatch(1);
    System.out.println("cut");
    demand(disconnected.await(5, TimeUnit.SECONDS), "disconnect");
    demand(connected.await(5, TimeUnit.SECONDS), "reconnect");
    zk.create("/j/v", null, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER);
    demand(grown.await(5, TimeUnit.SECONDS), "watch after the reconnect");
    demand(zk.getSessionId() == session, "the session is another");
    System.out.println("ok reconnect, with the session and its watches");

    zk.close();
  }

  static void noteState(WatchedEvent event) {
    if (event.getType() != Watcher.Event.EventType.None) return;
    if (event.getState() == Watcher.Event.KeeperState.SyncConnected) connected.countDown();
    else disconnected.countDown();
  }

  static void demand(boolean isTrue, String what) {
    if (!isTrue) throw new AssertionError(what);
  }
}
