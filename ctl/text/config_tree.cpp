#include "text/config_tree.h"

#include <exception>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "model/config.h"

namespace weir::text {
namespace {

constexpr std::size_t kDocumentMax = 16 << 20; // octets
// With every alias counted as a copy of what it names, so that aliases of aliases end somewhere.
constexpr std::size_t kNodesMax = 1 << 21;
constexpr std::size_t kDepthMax = 32; // a configuration needs 8
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

Place place_of(const YAML::Mark& mark) {
    return mark.is_null() ? Place{} : Place{mark.line + 1, mark.column + 1};
}

// Place of an octet of the document.
Place place_at(std::string_view yaml, std::size_t offset) {
    Place place;
    for (const char c : yaml.substr(0, offset)) {
        place.column++;
        if (c == '\n') {
            place.line++;
            place.column = 1;
        }
    }
    return place;
}

// The scanner takes a NUL for a sign of UTF-16: what YAML has no place for is refused before.
Parsed<void> check_characters(std::string_view yaml) {
    const std::size_t good = model::utf8_length(yaml);
    if (good != yaml.size()) {
        return tl::unexpected(TextError{place_at(yaml, good), "the file is not UTF-8"});
    }
    for (std::size_t i = 0; i < yaml.size(); i++) {
        const auto c = static_cast<unsigned char>(yaml[i]);
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
            return tl::unexpected(
                TextError{place_at(yaml, i), "control character " + std::to_string(c)});
        }
    }
    return {};
}

// Octets that an escape of a double-quoted scalar takes for one of the text; 0: not that simple.
std::size_t escape_length(std::string_view raw) {
    constexpr std::string_view kSimple = "0abtnvfre \"/\\";
    return raw.size() > 1 && kSimple.find(raw[1]) != std::string_view::npos ? 2 : 0;
}

} // namespace

std::string_view kind_name(Node::Kind kind) {
    switch (kind) {
    case Node::Kind::kNull:
        return "nothing";
    case Node::Kind::kScalar:
        return "a word";
    case Node::Kind::kList:
        return "a list";
    case Node::Kind::kMap:
        break;
    }
    return "a map";
}

// Builds the tree from the parser's events. Refusals leave the parser by its own exception.
class TreeBuilder : public YAML::EventHandler {
public:
    explicit TreeBuilder(Tree& tree) : tree_(tree) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ > 0) {
            refuse(mark, "a second document: a configuration is one");
        }
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        close(open(Node::Kind::kNull, mark, "", anchor));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const Anchor& named = anchors_.at(anchor);
        if (named.size == 0) {
            refuse(mark, "an alias to what it stands in");
        }
        grow(mark, named.size);
        append(named.node);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        const std::uint32_t node = open(Node::Kind::kScalar, mark, tag, anchor);
        tree_.nodes_[node].text = value;
        close(node);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value /*style*/) override {
        descend(open(Node::Kind::kList, mark, tag, anchor), mark);
    }
    void OnSequenceEnd() override { ascend(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value /*style*/) override {
        descend(open(Node::Kind::kMap, mark, tag, anchor), mark);
    }
    void OnMapEnd() override { ascend(); }

private:
    struct Anchor {
        std::uint32_t node = 0;
        std::size_t size = 0; // nodes in and below it; 0: not complete
    };
    struct Open {
        std::uint32_t node;
        std::size_t size_before;
    };

    [[noreturn]] static void refuse(const YAML::Mark& mark, const std::string& message) {
        throw YAML::ParserException(mark, message);
    }

    void grow(const YAML::Mark& mark, std::size_t nodes) {
        size_ += nodes;
        if (size_ > kNodesMax) {
            refuse(mark, "more than " + std::to_string(kNodesMax) +
                             " values, each alias counted as what it names");
        }
    }

    std::uint32_t open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor) {
        // "?" and "!" stand for no tag: plain and quoted.
        if (!tag.empty() && tag != "?" && tag != "!") {
            refuse(mark, "the tag '" + tag + "': tags have no meaning here");
        }
        grow(mark, 1);
        const auto index = static_cast<std::uint32_t>(tree_.nodes_.size());
        tree_.nodes_.push_back({kind, place_of(mark), static_cast<std::size_t>(mark.pos), {}, {}});
        anchor_of_.push_back(anchor);
        if (anchor != YAML::NullAnchor) {
            if (anchors_.size() <= anchor) {
                anchors_.resize(anchor + 1);
            }
            anchors_[anchor].node = index;
        }
        return index;
    }

    void append(std::uint32_t node) {
        if (open_.empty()) {
            tree_.root_ = node;
        } else {
            tree_.nodes_[open_.back().node].children.push_back(node);
        }
    }

    void complete(std::uint32_t node, std::size_t size) {
        if (anchor_of_[node] != YAML::NullAnchor) {
            anchors_[anchor_of_[node]].size = size;
        }
        append(node);
    }
    void close(std::uint32_t node) { complete(node, 1); }

    void descend(std::uint32_t node, const YAML::Mark& mark) {
        if (open_.size() == kDepthMax) {
            refuse(mark, "nested more than " + std::to_string(kDepthMax) + " deep");
        }
        open_.push_back({node, size_ - 1});
    }
    void ascend() {
        const Open done = open_.back();
        open_.pop_back();
        complete(done.node, size_ - done.size_before);
    }

    Tree& tree_;
    std::vector<Open> open_;
    std::vector<Anchor> anchors_;           // by anchor number
    std::vector<YAML::anchor_t> anchor_of_; // by node
    std::size_t size_ = 0;
    int documents_ = 0;
};

Parsed<Tree> Tree::parse(std::string_view yaml) {
    if (yaml.size() > kDocumentMax) {
        return tl::unexpected(TextError{{},
                                        "the file has " + std::to_string(yaml.size()) +
                                            " octets: at most " + std::to_string(kDocumentMax) +
                                            " are read"});
    }
    if (yaml.starts_with(kByteOrderMark)) {
        yaml.remove_prefix(kByteOrderMark.size());
    }
    WEIR_PARSE_CHECK(check_characters(yaml));

    Tree tree;
    tree.yaml_ = yaml;
    try {
        std::istringstream stream(tree.yaml_);
        YAML::Parser parser(stream);
        TreeBuilder builder(tree);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& error) {
        return tl::unexpected(
            TextError{place_of(error.mark), "not a configuration in YAML: " + error.msg});
    }
    if (tree.nodes_.empty()) {
        tree.nodes_.emplace_back(); // an empty file says nothing
    }
    return tree;
}

Place Tree::place_in(const Node& scalar, std::size_t offset) const {
    const std::string_view value = scalar.text;
    std::size_t at = scalar.offset;
    const auto raw = [&] { return std::string_view(yaml_).substr(at); };
    // An anchor stands before the scalar that it names.
    if (raw().starts_with('&')) {
        at = yaml_.find(' ', at);
        at = at == std::string::npos ? yaml_.size() : yaml_.find_first_not_of(' ', at);
        at = at == std::string::npos ? yaml_.size() : at;
    }
    const char quote = raw().starts_with('"') ? '"' : raw().starts_with('\'') ? '\'' : '\0';
    at += quote == '\0' ? 0 : 1;
    for (std::size_t i = 0; i < offset; i++) {
        const std::string_view rest = raw();
        std::size_t length = 1;
        if (quote == '"' && rest.starts_with('\\')) {
            length = escape_length(rest);
        } else if (quote == '\'' && rest.starts_with("''")) {
            length = 2;
        } else if (i >= value.size() || rest.empty() || rest.front() != value[i]) {
            length = 0;
        }
        if (length == 0) {
            return scalar.place;
        }
        at += length;
    }
    const auto column = static_cast<int>(at - scalar.offset);
    return {scalar.place.line, scalar.place.column + column};
}

} // namespace weir::text
