#pragma once

#include "verbs/verb.h"

// Every verb there is; registry.cpp puts them in order.
namespace weir::verbs {

extern const Verb load, attach, detach, unload, status, doctor;
extern const Verb apply, export_config, diff, rollback;
extern const Verb fw_add, fw_insert, fw_replace, fw_delete, fw_list, fw_flush, fw_reset, fw_policy;
extern const Verb set_create, set_add, set_delete, set_list, set_flush;
extern const Verb lb_service_add, lb_service_delete, lb_service_list;
extern const Verb lb_backend_add, lb_backend_delete, lb_backend_set, lb_backend_list;
extern const Verb lb_set, lb_flows, lb_which;
extern const Verb stats, ledger, explain, capture;
extern const Verb trace, count, rate, hist, top, leaks, drops, path, why, probes;
extern const Verb bench_all, bench_run, bench_net, bench_apps, bench_control, bench_trace,
    bench_insns, bench_compare, bench_report;

} // namespace weir::verbs
