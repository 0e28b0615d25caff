/// The page's looks: for screens light and dark, narrow and wide, and for paper.
///
/// Colours are of a palette that people who confuse red and green tell apart (Okabe and Ito, 2008).
enum ReportStyle {
  static let sheet: StaticString = """
    :root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--quiet:#5c6670;--line:#d8dde2;\
    --tile:#f5f7f9;--delivered:#0072b2;--reserved:#c77700;--application:#9aa3ab;\
    --receive-window:#cc79a7;--send-buffer:#56b4e9;--disconnected:#d55e00;--good:#00795c;\
    --bad:#b3261e}
    @media(prefers-color-scheme:dark){:root{--paper:#14181c;--ink:#e6eaee;--quiet:#9aa5b0;\
    --line:#303840;--tile:#1c2228;--delivered:#4fb0e8;--reserved:#f0a83c;--application:#66717b;\
    --receive-window:#d88fb9;--send-buffer:#7cc8f2;--disconnected:#f07a3a;--good:#3ecfa4;\
    --bad:#ff8a80}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--paper);color:var(--ink);\
    font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
    main{max-width:1080px;margin:0 auto;padding:32px 24px 56px}
    h1{font-size:27px;line-height:1.25;margin:0 0 4px;font-weight:650;overflow-wrap:anywhere}
    h2{font-size:17px;margin:40px 0 12px;font-weight:650}
    h3{font-size:14px;margin:0 0 2px;font-weight:600}
    .quiet{color:var(--quiet);margin:0}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px;\
    margin:24px 0 0;padding:0}
    .tile{background:var(--tile);border-radius:10px;padding:14px 16px}
    .tile b{display:block;font-size:22px;font-weight:650;font-variant-numeric:tabular-nums}
    .tile span{display:block;color:var(--quiet);font-size:13px}
    .good b{color:var(--good)}.bad b{color:var(--bad)}
    svg{display:block;width:100%;height:auto}
    svg text{fill:var(--quiet);font-size:11px;font-variant-numeric:tabular-nums}
    svg .y{text-anchor:end}svg .x{text-anchor:middle}svg .last{text-anchor:end}
    .grid{stroke:var(--line);stroke-width:1}
    .area{fill:var(--delivered);opacity:.14}
    polyline{fill:none;stroke-linejoin:round}
    polyline.delivered{stroke:var(--delivered);stroke-width:2}
    polyline.reserved{stroke:var(--reserved);stroke-width:1.5;stroke-dasharray:6 4}
    .mark{stroke-width:1;stroke-dasharray:2 3}
    .mark.delivered{stroke:var(--delivered)}.mark.reserved{stroke:var(--reserved)}
    .strip{fill:var(--tile)}
    .disconnected{fill:var(--disconnected);background:var(--disconnected)}
    .application{fill:var(--application);background:var(--application)}
    .receive-window{fill:var(--receive-window);background:var(--receive-window)}
    .send-buffer{fill:var(--send-buffer);background:var(--send-buffer)}
    .key{display:flex;flex-wrap:wrap;gap:6px 18px;margin:0 0 14px;padding:0;list-style:none;\
    color:var(--quiet);font-size:13px}
    .key i{display:inline-block;width:18px;height:9px;border-radius:2px;margin-right:7px}
    .key i.delivered{background:var(--delivered)}
    .key i.reserved{height:0;border-radius:0;border-top:2px dashed var(--reserved);\
    vertical-align:middle}
    .lanes{display:grid;gap:22px 28px}
    .many{grid-template-columns:repeat(auto-fill,minmax(300px,1fr))}
    figure{margin:0;break-inside:avoid}
    figcaption{font-size:13px;color:var(--quiet);margin:0 0 6px}
    .wide{overflow-x:auto}
    table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
    th,td{text-align:right;padding:6px 10px;border-bottom:1px solid var(--line);\
    white-space:nowrap}
    th:first-child,td:first-child{text-align:left;padding-left:0}
    th{color:var(--quiet);font-weight:600}
    dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 20px;margin:0;font-size:13px}
    dt{color:var(--quiet)}
    dd{margin:0;overflow-wrap:anywhere}
    code{font:12.5px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
    @media(max-width:560px){main{padding:20px 14px 40px}h1{font-size:22px}\
    dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}svg text{font-size:16px}}
    @media print{:root{--paper:#fff;--ink:#000;--quiet:#444;--line:#ccc;--tile:#fff}\
    .tile{border:1px solid var(--line)}main{padding:0;max-width:none}body{font-size:12px}}

    """
}
