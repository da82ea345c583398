#include "support/verdict.h"

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

namespace weir::test {

hook hook_of(kernel::Program program) {
    switch (program) {
    case kernel::Program::kIngress:
        return HOOK_XDP;
    case kernel::Program::kTcIngress:
        return HOOK_TC_INGRESS;
    default:
        return HOOK_TC_EGRESS;
    }
}

verdict verdict_of(kernel::Program program, int action) {
    if (program == kernel::Program::kIngress) {
        switch (action) {
        case XDP_PASS:
            return VERDICT_PASS;
        case XDP_TX:
            return VERDICT_SEND;
        case XDP_REDIRECT:
            return VERDICT_REDIRECT;
        case XDP_DROP:
            return VERDICT_DROP;
        default:
            return VERDICT_COUNT;
        }
    }
    switch (action) {
    case TC_ACT_UNSPEC: // further programs of the hook decide
        return VERDICT_PASS;
    case TC_ACT_REDIRECT:
        return VERDICT_REDIRECT;
    case TC_ACT_SHOT:
        return VERDICT_DROP;
    default:
        return VERDICT_COUNT;
    }
}

} // namespace weir::test
