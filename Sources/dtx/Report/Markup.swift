import DTXLinux

/// Part of an HTML or SVG document.
///
/// Text gets into one only through `text` and attributes' values, both of which escape it: what a
/// receipt says is never taken for markup. Names are static, because only this program chooses
/// them.
struct Markup {
  fileprivate(set) var html: String

  /// Text as people see it; bytes that would disturb them are shown as such.
  static func text(_ text: String) -> Markup {
    Markup(html: escaped(text))
  }

  /// An element with what is in it.
  static func element(
    _ name: StaticString,
    _ attributes: KeyValuePairs<StaticString, String> = [:],
    _ content: [Markup] = []
  ) -> Markup {
    var html = "<\(name)"
    for (key, value) in attributes { html += " \(key)=\"\(escaped(value))\"" }
    html += ">"
    for part in content { html += part.html }
    return Markup(html: html + "</\(name)>")
  }

  /// An element with text in it.
  static func element(
    _ name: StaticString,
    _ attributes: KeyValuePairs<StaticString, String> = [:],
    _ content: String
  ) -> Markup {
    element(name, attributes, [.text(content)])
  }

  /// An element that HTML never closes.
  static func void(
    _ name: StaticString,
    _ attributes: KeyValuePairs<StaticString, String>
  ) -> Markup {
    let values = attributes.map { " \($0.0)=\"\(escaped($0.1))\"" }
    return Markup(html: "<\(name)\(values.joined())>")
  }

  /// A style sheet, which is this program's own.
  static func style(_ sheet: StaticString) -> Markup {
    Markup(html: "<style>\(sheet)</style>")
  }

  /// A whole page.
  static func page(_ head: [Markup], _ body: [Markup]) -> String {
    let parts = [
      element("head", [:], head), element("body", [:], body),
    ]
    return "<!doctype html>\n" + element("html", ["lang": "en"], parts).html + "\n"
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in printable(Array(text.utf8)).unicodeScalars {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }
}
