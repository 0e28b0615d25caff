// swift-tools-version: 6.2
import PackageDescription

let house: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// What is fuzzed says at every branch that it was taken; what fuzzes it does not, so that the
/// edges that are counted are those of the product.
let watched: [SwiftSetting] =
  house + [.strictMemorySafety(), .unsafeFlags(["-sanitize=fuzzer,address"])]

/// Nested, so that nobody who builds dtx compiles this, and with links for targets, because what
/// they declare is `package`: the same as in Benchmarks.
///
/// libFuzzer comes from the toolchain and is added to the link by `run`, which knows where.
let package = Package(
  name: "dtx-fuzz",
  targets: [
    .target(name: "CXXHash"),
    .target(name: "DTXCore", dependencies: ["CXXHash"], swiftSettings: watched),
    .target(name: "DTXSimulator", dependencies: ["DTXCore"], swiftSettings: watched),
    .target(
      name: "Decoders",
      dependencies: ["DTXCore", "DTXSimulator"],
      swiftSettings: house
    ),
    .executableTarget(
      name: "dtx-fuzz",
      dependencies: ["Decoders"],
      swiftSettings: house,
      // The linker that is used by default fails at symbols of the address sanitizer.
      linkerSettings: [.unsafeFlags(["-sanitize=address", "-use-ld=lld"])]
    ),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
