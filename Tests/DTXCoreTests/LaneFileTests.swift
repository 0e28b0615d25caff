import DTXCore
import Testing

/// Lanes in a file.
@Suite struct LaneFileTests {
  @Test func theSameLanesAsOnTheCommandLine() throws {
    let text = """
      # Two channels of one wave.

      [[lane]]
      name = "blue \\"1\\""  # the first
      rate = "25G"
      reserved = true
      policed = false
      bind='192.0.2.7'
      dscp = 46
      from = 2026-11-23T18:00:00+01:00
      \t[[ lane ]] # the second
      rate=1_000_000_000
      connections = 3
      pace = 95
      to = "[2001:db8::7]:5201"
      """
    let lanes = try LaneFile.lanes(text)
    #expect(
      lanes == [
        try LaneDescription(
          "name=blue \"1\",rate=25G,reserved,bind=192.0.2.7,dscp=ef,from=2026-11-23T17:00:00Z"
        ), try LaneDescription("rate=1G,connections=3,pace=95%,to=[2001:db8::7]:5201"),
      ]
    )
    // As an editor of another system leaves it.
    let ended = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(try LaneFile.lanes(ended.joined(separator: "\r\n")) == lanes)
  }

  @Test(arguments: [
    ("", "there is no [[lane]]"), ("# nothing", "there is no [[lane]]"),
    ("rate = \"1G\"", "line 1, rate: it stands before any [[lane]]"),
    ("[[lane]]", "line 1: nothing is said of this lane"),
    ("[[lane]]\n[[lane]]\nrate = 1", "line 1: nothing is said of this lane"),
    ("[lane]", "line 1: the only tables here are [[lane]]"),
    ("[[lanes]]", "line 1: the only tables"),
    ("[[lane]] x", "line 1: something follows the end: x"),
    ("[[lane]]\nrate = 1\nrate = 2", "line 3, rate: it is said twice"),
    ("[[lane]]\n\nspeed = 1", "line 3: there is no key 'speed', but"),
    ("[[lane]]\nrate = \"fast\"", "line 2, rate: a rate is in bits per second"),
    ("[[lane]]\nrate = true", "line 2, rate: it takes a value"),
    ("[[lane]]\nreserved = 1", "line 2, reserved: it stands alone"),
    ("[[lane]]\nrate", "line 2, rate: a key has = and its value behind it"),
    ("[[lane]]\nrate =", "line 2, rate: it has no value"),
    ("[[lane]]\nrate = # 1", "line 2, rate: it has no value"),
    ("[[lane]]\nrate = 1 2", "line 2, rate: something follows the end: 2"),
    ("[[lane]]\nrate = 1G", "line 2, rate: a value is a string in quotes, an integer"),
    ("[[lane]]\nrate = 01", "line 2, rate: a value"),
    ("[[lane]]\nrate = 1__0", "line 2, rate: a v"),
    ("[[lane]]\nrate = 1.5", "line 2, rate: a value"),
    ("[[lane]]\nrate = [1]", "line 2, rate: a v"),
    ("[[lane]]\nrate = \"1G", "line 2, rate: a string has no end on this line"),
    ("[[lane]]\nrate = '1G", "line 2, rate: a string has no end on this line"),
    ("[[lane]]\nrate = \"\"\"1G\"\"\"", "line 2, rate: a string here is on one line"),
    ("[[lane]]\nname = \"\\u0041\"", "line 2, name: an escape here is"),
    ("[[lane]]\na.b = 1", "line 2, a: a key has ="),
    ("[[lane]]\n\"rate\" = 1", "line 2: a line is [[lane]], a comment, or key = value"),
    ("[[lane]]\nname = \"\u{1B}\"", "line 2: a control character, U+1B"),
    ("[[lane]]\nreserved = true", "line 2: a reserved lane has a rate"),
    ("[[lane]]\nrate = 1\n[[lane]]\nname = 'x'\nreserved = true", "line 4: a reserved lane has"),
  ])
  func whatIsWrongIsNamedWithItsLineAndKey(_ text: String, _ reason: String) {
    var found = "taken"
    do throws(LaneTextError) { _ = try LaneFile.lanes(text) } catch { found = "\(error)" }
    #expect(found.hasPrefix(reason), "\(found)")
  }
}
