#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/document.h"

namespace weir::bench {

// A figure of a result that another result has, too.
struct Quantity {
    std::string of;        // the case: "filter-1/weir/native/64"
    std::string what;      // "ns/packet"
    Figure figure;         // in that unit
    double resolution = 0; // less than this is no difference
};

// What a result says of itself to those that are compared with it.
struct Evidence {
    std::string kind; // "run", "net", "apps", "control", "trace"
    std::vector<Quantity> quantities;
    // What shows the machine's speed, being the same code in every result: empty programs, the
    // direct way. By case.
    std::map<std::string, Figure> floors;
};

// Refused are documents of other kinds, schemas or shapes.
Result<Evidence> read_evidence(const Json& document);

// What drift_of() says of the document's floors; 0 where it has none.
double drift_of(const Json& document);

struct Change {
    Quantity before;
    Figure after;
    bool moved = false; // by more than chance explains
};

struct Comparison {
    std::string kind;
    // As shares: how the machine drifted during the two, and what lies between them, as drift_of()
    // says it. The largest is the difference that nothing is told apart by: ratios to
    // what was measured by turns, too, for neighbours slow down one thing (memory, say) and not
    // another.
    double before = 0, after = 0, between = 0;
    std::vector<Change> changes; // of quantities that both have, in the order of the later
    double allowed() const;
    std::size_t moved() const;
};

// Of two results of the same kind.
Comparison compare(const Evidence& before, const Evidence& after);

} // namespace weir::bench
