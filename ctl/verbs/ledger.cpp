#include <array>
#include <chrono>
#include <fmt/format.h>
#include <thread>

#include "verbs/all.h"
#include "verbs/hooks.h"
#include "verbs/sample.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

using output::Align;
using output::Json;
using output::Table;

// Readings of a book while packets are walked: in one that balances nothing is missing, and a
// packet that is really lost is missing from all of them.
constexpr int kReadings = 50;
constexpr auto kBetween = std::chrono::milliseconds(2);

// What was counted in and not out; negative where it is the other way round.
struct Difference {
    std::int64_t packets = 0;
    std::int64_t bytes = 0;
    std::int64_t drop_packets = 0; // dropped in all, against the sum of reasons
    std::int64_t drop_bytes = 0;

    bool zero() const { return packets == 0 && bytes == 0 && drop_packets == 0 && drop_bytes == 0; }
};

struct Book {
    std::string interface;
    hook at{};
    hook_count count{};

    Difference difference() const {
        traffic out{}, reasons{};
        for (const traffic& verdict : count.verdict) {
            out.packets += verdict.packets;
            out.bytes += verdict.bytes;
        }
        for (const traffic& dropped : count.dropped) {
            reasons.packets += dropped.packets;
            reasons.bytes += dropped.bytes;
        }
        const traffic& drops = count.verdict[VERDICT_DROP];
        return {static_cast<std::int64_t>(count.received.packets - out.packets),
                static_cast<std::int64_t>(count.received.bytes - out.bytes),
                static_cast<std::int64_t>(drops.packets - reasons.packets),
                static_cast<std::int64_t>(drops.bytes - reasons.bytes)};
    }
};

Result<Book> read_book(const kernel::Node& node, const CountedInterface& interface, hook at) {
    Book book{interface.name, at, {}};
    for (int reading = 0; reading < kReadings; reading++) {
        WEIR_TRY(book.count, node.hook_hits(interface.slot, at));
        if (book.difference().zero()) {
            break;
        }
        std::this_thread::sleep_for(kBetween);
    }
    return book;
}

Result<std::vector<Book>> read_books(const kernel::Node& node) {
    std::vector<Book> books;
    WEIR_TRY(const auto interfaces, counted_interfaces(node));
    for (const CountedInterface& interface : interfaces) {
        for (int h = 0; h < HOOK_COUNT; h++) {
            WEIR_TRY(auto book, read_book(node, interface, static_cast<hook>(h)));
            if (book.count.received.packets > 0 || (interface.hooks >> h & 1) != 0 ||
                !book.difference().zero()) {
                books.push_back(std::move(book));
            }
        }
    }
    return books;
}

std::string books_text(const std::vector<Book>& books) {
    Table sums({{"interface"},
                {"hook"},
                {"received", Align::kRight},
                {"passed", Align::kRight},
                {"sent", Align::kRight},
                {"redirected", Align::kRight},
                {"dropped", Align::kRight},
                {"difference", Align::kRight}});
    Table drops({{"interface"},
                 {"hook"},
                 {"dropped by"},
                 {"packets", Align::kRight},
                 {"bytes", Align::kRight}});
    for (const Book& book : books) {
        const std::string at(hook_name(book.at));
        const auto& verdict = book.count.verdict;
        const Difference difference = book.difference();
        sums.row({book.interface, at, std::to_string(book.count.received.packets),
                  std::to_string(verdict[VERDICT_PASS].packets),
                  std::to_string(verdict[VERDICT_SEND].packets),
                  std::to_string(verdict[VERDICT_REDIRECT].packets),
                  std::to_string(verdict[VERDICT_DROP].packets),
                  std::to_string(difference.packets)});
        for (int r = 0; r < REASON_COUNT; r++) {
            if (const traffic& dropped = book.count.dropped[r]; dropped.packets > 0) {
                drops.row({book.interface, at, std::string(model::name(static_cast<reason>(r))),
                           std::to_string(dropped.packets), std::to_string(dropped.bytes)});
            }
        }
        if (difference.drop_packets != 0) {
            drops.row({book.interface, at, "(no reason)", std::to_string(difference.drop_packets),
                       std::to_string(difference.drop_bytes)});
        }
    }
    return sums.to_string() + (drops.empty() ? "" : "\n" + drops.to_string());
}

Json traffic_json(const traffic& counted) {
    return {{"packets", counted.packets}, {"bytes", counted.bytes}};
}

Json book_json(const Book& book) {
    const auto& verdict = book.count.verdict;
    Json reasons = Json::object();
    for (int r = 0; r < REASON_COUNT; r++) {
        if (book.count.dropped[r].packets > 0) {
            reasons[std::string(model::name(static_cast<reason>(r)))] =
                traffic_json(book.count.dropped[r]);
        }
    }
    const Difference difference = book.difference();
    return {{"interface", book.interface},
            {"hook", hook_name(book.at)},
            {"received", traffic_json(book.count.received)},
            {"passed", traffic_json(verdict[VERDICT_PASS])},
            {"sent", traffic_json(verdict[VERDICT_SEND])},
            {"redirected", traffic_json(verdict[VERDICT_REDIRECT])},
            {"dropped", traffic_json(verdict[VERDICT_DROP])},
            {"dropped_by", reasons},
            {"difference", {{"packets", difference.packets}, {"bytes", difference.bytes}}},
            {"drop_difference",
             {{"packets", difference.drop_packets}, {"bytes", difference.drop_bytes}}}};
}

Result<> run_ledger(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(const auto books, read_books(session.node));
    Json list = Json::array();
    Words unbalanced;
    for (const Book& book : books) {
        list.push_back(book_json(book));
        if (!book.difference().zero()) {
            unbalanced.push_back(book.interface + " " + std::string(hook_name(book.at)));
        }
    }
    cx.out.text(books_text(books));
    cx.out.document({{"balanced", unbalanced.empty()}, {"books", list}});
    if (!unbalanced.empty()) {
        return fail(fmt::format("the books do not balance: {}", join(unbalanced, ", ")));
    }
    // Books that balance prove nothing of packets that came by where no program was.
    WEIR_TRY(const auto attachments, kernel::attachments(session.node));
    return check_attached(attachments);
}

} // namespace

const Verb ledger{
    .path = "ledger",
    .operands = "",
    .summary = "check that every packet received is accounted for",
    .details = R"(For each interface and hook: received = passed + sent + redirected + dropped, and
dropped = the sum of its reasons, in packets and in octets. Packets that are under way while the
counters are read show as a difference for a moment, so that a book that does not balance is read
again, up to 50 times; a packet that is really lost is missing from every reading. Under full load
one or two packets for each CPU may still be under way in all of them. Exit status 1 if a difference
remains, or if something that was attached is gone from its hook: what it did not see is in no book.

  weir ledger
)",
    .run = run_ledger};

} // namespace weir::verbs
