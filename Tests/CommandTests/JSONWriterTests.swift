import Testing

@testable import dtx

@Suite struct JSONWriterTests {
  @Test func integersAreExact() {
    #expect(JSONValue.integer(UInt64.max).line == "18446744073709551615")
    #expect(JSONValue.integer(Int64.min).line == "-9223372036854775808")
  }

  @Test func secondsHaveNineDecimals() {
    #expect(JSONValue.seconds(0).line == "0.000000000")
    #expect(JSONValue.seconds(1_000_000_001).line == "1.000000001")
    #expect(JSONValue.seconds(UInt64.max).line == "18446744073.709551615")
  }

  @Test func membersKeepTheirOrder() {
    let value = JSONValue.object([
      ("b", .array([.null, .bool(true), .bool(false)])), ("a", .object([])), ("c", .array([])),
    ])
    #expect(value.line == #"{"b":[null,true,false],"a":{},"c":[]}"#)
  }

  @Test(arguments: [
    ("plain", #""plain""#), ("\"\\/", #""\"\\/""#),
    ("\n\t\0\u{1F}", #""\u000a\u0009\u0000\u001f""#),
    ("é€𝄞", #""é€𝄞""#), ("\u{7F}\u{9B}", #""\u007f\u009b""#),
    ("\u{202E}\u{2028}", #""\u202e\u2028""#), ("\u{E0001}", #""\udb40\udc01""#),
  ])
  func stringsAreEscapedForReadersAndTerminals(_ text: String, _ line: String) {
    #expect(JSONValue.string(text).line == line)
  }

  @Test func aNameThatIsNoTextIsTheOtherMember() {
    #expect(JSONValue.object([JSONValue.path(bytes("a/é"))]).line == #"{"path":"a/é"}"#)
    #expect(JSONValue.object([JSONValue.path([0x61, 0xFF])]).line == #"{"path_base64":"Yf8="}"#)
    #expect(JSONValue.object([JSONValue.path([])]).line == #"{"path":"."}"#)
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
  ])
  func base64IsThatOfTheStandard(_ text: String, _ expected: String) {
    #expect(JSONWriter.base64(bytes(text)) == expected)
  }
}
