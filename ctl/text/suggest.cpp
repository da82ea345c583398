#include <algorithm>
#include <cstddef>

#include "text/rule_text.h"

namespace weir::text {
namespace {

constexpr std::size_t kFurthest = 2; // edits

// Edits (insert, delete, replace, swap neighbours) from one word to the other: optimal string
// alignment, the restricted Damerau-Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); i++) {
        for (std::size_t j = 0; j <= b.size(); j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            const std::size_t replace = a[i - 1] == b[j - 1] ? 0 : 1;
            cost[i][j] =
                std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + replace});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

} // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
    std::string_view nearest;
    std::size_t least = kFurthest + 1;
    for (const std::string_view candidate : known) {
        const std::size_t longer = std::max(word.size(), candidate.size());
        if (longer - std::min(word.size(), candidate.size()) > kFurthest) {
            continue;
        }
        const std::size_t edits = distance(word, candidate);
        // Short words are near to everything: less than half of the word may differ.
        if (edits < least && 2 * edits < longer) {
            least = edits;
            nearest = candidate;
        }
    }
    return std::string(nearest);
}

} // namespace weir::text
