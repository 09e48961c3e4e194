-- Sends requests that were made ahead, byte for byte, one after the other: wrk's part of the bench.
--
-- Arguments: the file of requests (each its length in ten digits, then its bytes), and "once" to stop
-- at the end of the file or "round" to begin again. At the end wrk is woken from its waiting by the
-- signal of an interrupted run; time is taken here, up to that moment.

local ffi = require("ffi")
ffi.cdef("typedef struct { long s, ns; } moment; int clock_gettime(int clock, moment *now);")
ffi.cdef("int getpid(void); int kill(int process, int signal);")

local requests, at, round, threads = {}, 0, true, {}

local function now()
    local moment = ffi.new("moment")
    ffi.C.clock_gettime(1, moment)
    return tonumber(moment.s) * 1e6 + tonumber(moment.ns) / 1e3
end

function setup(thread)
    threads[#threads + 1] = thread
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    round = args[2] == "round"
    while true do
        local length = file:read(10)
        if not length then break end
        requests[#requests + 1] = file:read(tonumber(length))
    end
    file:close()
    began, ended = 0, 0
end

function request()
    if at == 0 then began = now() end
    at = at + 1
    if at > #requests then
        if not round and ended == 0 then
            ended = now()
            ffi.C.kill(ffi.C.getpid(), 2)
        end
        at = 1
    end
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    local bad = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    local lasted = summary.duration
    if threads[1]:get("ended") > 0 then
        lasted = threads[1]:get("ended") - threads[1]:get("began")
    end
    io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, lasted,
        summary.bytes, bad, latency:percentile(50), latency:percentile(99)))
end
