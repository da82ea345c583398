#include "bench/net/generators.h"

#include <sched.h>

#include <barrier>
#include <thread>

#include "bench/cpus.h"

namespace weir::bench {
namespace {

// Every `of`-th flow from `first` on; all of them where there are fewer flows than shares.
Traffic share(const Traffic& whole, std::size_t first, std::size_t of) {
    if (whole.headers.size() < of) {
        return whole;
    }
    Traffic part = whole;
    part.headers.clear();
    for (std::size_t i = first; i < whole.headers.size(); i += of) {
        part.headers.push_back(whole.headers[i]);
    }
    return part;
}

} // namespace

Result<Generators> Generators::make(const Traffic& traffic, const std::vector<unsigned>& cpus) {
    Generators generators;
    generators.cpus_ = cpus;
    for (std::size_t i = 0; i < cpus.size(); i++) {
        WEIR_TRY(auto made, LiveGenerator::make(share(traffic, i, cpus.size())));
        generators.each_.push_back(std::move(made));
    }
    return generators;
}

Result<Generators::Sent> Generators::send(const Lab& lab, std::uint32_t packets) {
    std::vector<Result<LiveGenerator::Sent>> results(each_.size(), LiveGenerator::Sent{});
    if (each_.size() == 1 && sched_getcpu() == static_cast<int>(cpus_.front())) {
        results[0] = each_[0].send(lab, packets);
    } else {
        std::barrier start(static_cast<std::ptrdiff_t>(each_.size()));
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < each_.size(); i++) {
            threads.emplace_back([&, i] {
                const Result<> moved = stay_on({cpus_[i]});
                start.arrive_and_wait();
                results[i] = moved ? each_[i].send(lab, packets)
                                   : Result<LiveGenerator::Sent>(fail(moved.error()));
            });
        }
    }
    Sent sum;
    for (Result<LiveGenerator::Sent>& result : results) {
        WEIR_TRY(const LiveGenerator::Sent sent, std::move(result));
        sum.packets += sent.packets;
        sum.packets_per_second += 1e9 / sent.wall_ns;
        sum.cpu_ns += sent.cpu_ns / static_cast<double>(results.size());
    }
    return sum;
}

} // namespace weir::bench
