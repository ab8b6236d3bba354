import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.zookeeper.*;

/**
 * Apache's own client under measurement: each call is made in the callback of the last.
 *
 * <p>Arguments: host workload inFlight valueBytes warmupMs measuredMs. Prints the measurement as JSON.
 */
public class JavaContestant {
  static final String path = "/bench";
  static final int mixedPeriod = 5;
  static final int timedMax = 16;

  static ZooKeeper zk;
  static String workload;
  static byte[] value;
  static volatile boolean running = true;
  static volatile boolean measuring = false;
  static final AtomicLong operations = new AtomicLong();
  static final Semaphore ended = new Semaphore(0);

  public static void main(String[] args) throws Exception {
    workload = args[1];
    int inFlight = Integer.parseInt(args[2]);
    value = new byte[Integer.parseInt(args[3])];
    CountDownLatch connected = new CountDownLatch(1);
    zk = new ZooKeeper(args[0], 30_000, event -> connected.countDown());
    connected.await();

    Chain[] chains = new Chain[inFlight];
    for (int i = 0; i < inFlight; i++) (chains[i] = new Chain(i)).call();
    Thread.sleep(Long.parseLong(args[4]));
    measuring = true;
    long operationsBefore = operations.get(), cpuBefore = cpuNanos(), start = System.nanoTime();
    Thread.sleep(Long.parseLong(args[5]));
    long count = operations.get() - operationsBefore;
    double cpuMicros = (cpuNanos() - cpuBefore) / 1e3;
    double seconds = (System.nanoTime() - start) / 1e9;
    running = false;
    ended.acquire(inFlight);
    zk.close();

    long[] latencies =
        Arrays.stream(chains)
            .limit(timedMax)
            .flatMapToLong(chain -> Arrays.stream(chain.latencies, 0, chain.timed))
            .sorted()
            .toArray();
    System.out.printf(
        Locale.ROOT,
        "{\"operationsInAll\":%d,\"operationsPerSecond\":%f,\"cpuMicrosPerOperation\":%f,"
            + "\"p50Micros\":%f,\"p99Micros\":%f}%n",
        operations.get(),
        count / seconds,
        cpuMicros / count,
        percentile(latencies, 0.5),
        percentile(latencies, 0.99));
  }

  static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  static double percentile(long[] sorted, double share) {
    return sorted.length == 0 ? 0 : sorted[(int) ((sorted.length - 1) * share)] / 1e3;
  }

  static class Chain {
    final int index;
    final String own;
    int turn = 0;
    long startNanos;
    /** Of the calls that were timed. */
    long[] latencies = new long[1024];
    int timed = 0;

    Chain(int index) {
      this.index = index;
      own = path + "/" + ProcessHandle.current().pid() + "-" + index;
    }

    void call() {
      startNanos = System.nanoTime();
      switch (workload) {
        case "getData" -> get();
        case "setData" -> set();
        case "mixed" -> {
          if ((index + turn) % mixedPeriod == 0) set();
          else get();
        }
        case "create-delete" -> {
          if (turn % 2 == 0) {
            zk.create(
                own,
                value,
                ZooDefs.Ids.OPEN_ACL_UNSAFE,
                CreateMode.PERSISTENT,
                (rc, p, ctx, name) -> next(rc),
                null);
          } else {
            zk.delete(own, -1, (rc, p, ctx) -> next(rc), null);
          }
        }
        default -> throw new IllegalArgumentException(workload);
      }
    }

    void get() {
      zk.getData(path, false, (rc, p, ctx, data, stat) -> next(rc), null);
    }

    void set() {
      zk.setData(path, value, -1, (rc, p, ctx, stat) -> next(rc), null);
    }

    void next(int rc) {
      if (rc != 0) {
        System.err.println("a call failed: " + KeeperException.Code.get(rc));
        System.exit(1);
      }
      operations.incrementAndGet();
      if (measuring && running && index < timedMax) note(System.nanoTime() - startNanos);
      turn++;
      if (running) call();
      else ended.release();
    }

    void note(long nanos) {
      if (timed == latencies.length) latencies = Arrays.copyOf(latencies, 2 * timed);
      latencies[timed++] = nanos;
    }
  }
}
