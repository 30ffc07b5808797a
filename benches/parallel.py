# What Python has for the maps of parallel.lua, with two processes. Prints lines "<name> <value> <unit>".
import concurrent.futures
import multiprocessing
import time


def square(x):
    return x * x


def say(name, seconds, n):
    print(f"{name} {seconds / n * 1e6:.6g} us/item")


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        pool.map(square, range(1000))
        n = 1000000
        begun = time.perf_counter()
        assert pool.map(square, range(1, n + 1))[-1] == n * n
        say("py_pool_map", time.perf_counter() - begun, n)
        n = 20000
        begun = time.perf_counter()
        assert sum(1 for _ in pool.imap_unordered(square, range(n))) == n
        say("py_imap_unordered", time.perf_counter() - begun, n)
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        list(pool.map(square, range(100)))
        n = 5000
        begun = time.perf_counter()
        assert sum(1 for _ in pool.map(square, range(n))) == n
        say("py_futures", time.perf_counter() - begun, n)
