#pragma once

#include <vector>

#include "compile/rule_list.h"
#include "maps/generation.h"

// Lists of rules as the fast lane compares them (maps/short_list.h).
namespace weir::compile {

// The lists of a generation; what does not fit is left to the graph.
class ShortLists {
public:
    // FW_LIST(): these rules for TCP or UDP packets of a family; 0: they cannot be expressed this
    // way, or are too many.
    std::uint32_t add(const std::vector<OpenRule>& rules, Family family, model::Verdict policy);
    const std::vector<fw_record>& records() const { return records_; }

private:
    std::vector<fw_record> records_; // FW_RECORDS at most
};

} // namespace weir::compile
