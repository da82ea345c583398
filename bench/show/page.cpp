#include "bench/show/page.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <memory>

#include "bench/show/markdown.h"

namespace weir::bench {
namespace {

constexpr const char* kStyle = R"(
:root { color: #222; background: #fff; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 1rem; }
section h1 { border-top: 3px solid #0072b2; padding-top: 1rem; margin-top: 3rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 0.75rem; }
a { color: #0072b2; }
code { font: 0.9em ui-monospace, monospace; }
img { display: block; max-width: 100%; height: auto; margin: 0.5rem 0; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem;
        font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { padding: 0.25rem 0.9rem 0.25rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
th { text-align: left; border-bottom: 2px solid #888; }
td:first-child, th:first-child { white-space: nowrap; }
tbody tr:hover { background: #f2f7fb; }
@media print { body { max-width: none; margin: 0; } h2 { break-after: avoid; }
               img, tr { break-inside: avoid; } }
)";

struct Free {
    void operator()(char* text) const { std::free(text); }
    void operator()(cmark_node* node) const { cmark_node_free(node); }
    void operator()(cmark_parser* parser) const { cmark_parser_free(parser); }
    void operator()(cmark_iter* iter) const { cmark_iter_free(iter); }
};
template <typename T>
using Owner = std::unique_ptr<T, Free>;

// The drawing as an image that holds itself (RFC 2397): drawings use the same ids, which do not
// meet so.
std::string image_of(const std::string& svg, const std::string& title) {
    std::string data;
    for (const char c : svg) {
        const auto octet = static_cast<unsigned char>(c);
        data += std::isalnum(octet) != 0 || c == ' ' || c == '/' || c == '='
                    ? std::string(1, c)
                    : fmt::format("%{:02X}", octet);
    }
    return fmt::format(R"(<img alt="{}" src="data:image/svg+xml,{}">)", title, data);
}

// The text below an image, as HTML.
std::string title_of(cmark_node* image) {
    const Owner<char> html(
        cmark_render_html(cmark_node_first_child(image), CMARK_OPT_DEFAULT, nullptr));
    return html == nullptr ? "" : html.get();
}

// Every image becomes its drawing.
void set_pictures(cmark_node* document, const std::map<std::string, std::string>& pictures) {
    std::vector<cmark_node*> images;
    const Owner<cmark_iter> iter(cmark_iter_new(document));
    for (auto event = cmark_iter_next(iter.get()); event != CMARK_EVENT_DONE;
         event = cmark_iter_next(iter.get())) {
        cmark_node* node = cmark_iter_get_node(iter.get());
        if (event == CMARK_EVENT_ENTER && cmark_node_get_type(node) == CMARK_NODE_IMAGE) {
            images.push_back(node);
        }
    }
    for (cmark_node* image : images) {
        const auto picture = pictures.find(cmark_node_get_url(image));
        if (picture != pictures.end()) {
            cmark_node* drawn = cmark_node_new(CMARK_NODE_CUSTOM_INLINE);
            cmark_node_set_on_enter(drawn, image_of(picture->second, title_of(image)).c_str());
            cmark_node_insert_before(image, drawn);
        }
        cmark_node_unlink(image);
        cmark_node_free(image);
    }
}

std::string html(const std::string& markdown, const std::map<std::string, std::string>& pictures) {
    cmark_gfm_core_extensions_ensure_registered();
    const Owner<cmark_parser> parser(cmark_parser_new(CMARK_OPT_DEFAULT));
    cmark_parser_attach_syntax_extension(parser.get(), cmark_find_syntax_extension("table"));
    cmark_parser_feed(parser.get(), markdown.data(), markdown.size());
    const Owner<cmark_node> document(cmark_parser_finish(parser.get()));
    set_pictures(document.get(), pictures);
    const Owner<char> rendered(cmark_render_html(document.get(), CMARK_OPT_DEFAULT,
                                                 cmark_parser_get_syntax_extensions(parser.get())));
    return rendered.get();
}

} // namespace

std::string html_page(const std::string& title, const std::vector<Chapter>& chapters,
                      const std::map<std::string, std::string>& pictures) {
    std::string top = "# " + markdown::text(title) + "\n\n";
    std::string body;
    for (std::size_t i = 0; i < chapters.size(); i++) {
        const std::string id = "result-" + std::to_string(i + 1);
        top += "- [" + markdown::text(chapters[i].title) + "](#" + id + ")\n";
        body +=
            "<section id=\"" + id + "\">\n" + html(chapters[i].markdown, pictures) + "</section>\n";
    }
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
           title + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n" + html(top, {}) +
           body + "</body>\n</html>\n";
}

} // namespace weir::bench
