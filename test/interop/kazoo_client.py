"""kazoo on the in-process server. Prints a line for each thing that went well."""
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NoNodeError, RolledBackError
from kazoo.recipe.watchers import ChildrenWatch


def main(hosts):
    zk = KazooClient(hosts=hosts, timeout=5)
    zk.start()

    zk.create('/k', b'one')
    value, stat = zk.get('/k')
    assert (value, stat.version) == (b'one', 0)
    assert zk.set('/k', b'two', version=0).version == 1
    try:
        zk.set('/k', b'no', version=0)
        raise AssertionError('an old version was accepted')
    except BadVersionError:
        pass
    print('ok create, read, write')

    path = zk.create('/k/s-', ephemeral=True, sequence=True)
    assert path == '/k/s-0000000000' and zk.get_children('/k') == ['s-0000000000']
    assert zk.exists(path).ephemeralOwner == zk.client_id[0]
    print('ok ephemeral and sequential znodes')

    changed = threading.Event()
    zk.get('/k', watch=lambda event: changed.set())
    zk.set('/k', b'three')
    assert changed.wait(5)
    print('ok watch')

    tx = zk.transaction()
    tx.check('/k', 2)
    tx.create('/k/t', b't')
    tx.set_data('/k', b'four')
    assert [type(result).__name__ for result in tx.commit()] == ['bool', 'str', 'ZnodeStat']
    tx = zk.transaction()
    tx.create('/k/u', b'')
    tx.delete('/none')
    results = tx.commit()
    assert isinstance(results[0], RolledBackError) and isinstance(results[1], NoNodeError)
    print('ok transaction')

    other = KazooClient(hosts=hosts, timeout=5)
    other.start()
    lock, rival = zk.Lock('/lock', 'a'), other.Lock('/lock', 'b')
    assert lock.acquire(timeout=5)
    assert not rival.acquire(blocking=False)
    lock.release()
    assert rival.acquire(timeout=5)
    rival.release()
    other.stop()
    print('ok lock')

    seen = []
    grown = threading.Condition()

    def see(children):
        with grown:
            seen.append(sorted(children))
            grown.notify()

    ChildrenWatch(zk, '/k', see)
    session = zk.client_id[0]
    lost = threading.Event()
    zk.add_listener(lambda state: lost.set() if state != 'CONNECTED' else None)
    print('cut', flush=True)
    assert lost.wait(5)
    zk.retry(zk.create, '/k/v', b'')
    with grown:
        assert grown.wait_for(lambda: seen[-1] == ['s-0000000000', 't', 'v'], 5)
    assert zk.client_id[0] == session
    print('ok reconnect, with the session and its watches')

    zk.stop()


main(sys.argv[1])
