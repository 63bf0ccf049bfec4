"""How the page looks."""

CSS = """
html, body { overflow: hidden; }
.tme-root, .tme-page { height: 100vh; font-family: Roboto, "Helvetica Neue", Arial, sans-serif; color: #1C2430; }
.tme-page { display: grid; grid-template: 52px 1fr / 272px minmax(320px, 1fr) 372px; background: #F4F5F8; }
.tme-page.tme-with-cell { grid-template-columns: 272px minmax(320px, 1fr) 316px 372px; }
.tme-page button { cursor: pointer; }
.tme-head { grid-column: 1 / -1; display: flex; align-items: center; gap: 18px; padding: 0 16px; background: #14213D;
  color: #fff; min-width: 0; }
.tme-head .tme-title { font-size: 17px; font-weight: 500; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.tme-head .tme-clock { font-size: 15px; font-variant-numeric: tabular-nums; white-space: nowrap; margin-left: auto; }
.tme-head .tme-state { font-size: 13px; color: #C9D3E8; white-space: nowrap; }
.tme-side, .tme-right { overflow-y: auto; padding: 10px 12px 20px; min-height: 0; }
.tme-side { border-right: 1px solid #DDE1E9; }
.tme-right { border-left: 1px solid #DDE1E9; background: #fff; }
.tme-main { min-height: 0; min-width: 0; padding: 10px 12px 6px; display: flex; flex-direction: column; }
.tme-main > div { flex: 1 1 auto; min-height: 0; }
.tme-side h3, .tme-right h3 { font-size: 12px; font-weight: 500; text-transform: uppercase; letter-spacing: .06em;
  color: #5B6577; margin: 14px 0 4px; }
.tme-side h3:first-child, .tme-right h3:first-child { margin-top: 0; }
.tme-side p { font-size: 12px; color: #5B6577; margin: 0 0 6px; }
.tme-side .v-sheet, .tme-right .v-sheet { background: transparent !important; }
.tme-knob { font-size: 13px; margin-bottom: 4px; }
.tme-knob b { float: right; font-weight: 500; font-variant-numeric: tabular-nums; }
.tme-knob small { display: block; color: #6B7484; font-size: 11px; }
.tme-side .v-input { font-size: 13px; }
.tme-row { display: flex; gap: 6px; align-items: center; flex-wrap: wrap; }
.tme-page .v-btn { text-transform: none; letter-spacing: 0; }
.tme-acts .v-btn { justify-content: flex-start; height: auto !important; min-height: 34px; padding: 4px 10px !important;
  width: 100%; white-space: normal; text-align: left; margin-bottom: 5px; }
.tme-acts .v-btn__content { justify-content: flex-start; flex: 1 1 auto; white-space: normal; display: block; line-height: 1.25; }
.tme-acts small { display: block; font-weight: 400; opacity: .75; font-size: 11px; }
.tme-alone { height: 560px; overflow: hidden; }
.tme-charts { width: 100%; }
.tme-chart { width: 100%; display: block; margin-top: 8px; }
.tme-chart text { font-size: 12px; fill: #47505F; font-family: inherit; }
.tme-chart .tme-chart-title { font-size: 14px; font-weight: 500; fill: #1C2430; }
.tme-chart .tme-chart-note { text-anchor: middle; fill: #8A93A3; }
.tme-chart .tme-grid { stroke: #E4E7ED; }
.tme-chart .tme-tick-y { text-anchor: end; }
.tme-chart .tme-tick-x { text-anchor: middle; }
.tme-chart .tme-line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
.tme-chart .tme-mark line { stroke: #B0003A; stroke-dasharray: 2 2; }
.tme-chart .tme-mark circle { fill: #B0003A; }
.tme-chart .tme-mark text { fill: #fff; text-anchor: middle; font-size: 9.5px; font-weight: 500; }
.tme-chart-legend { display: flex; flex-wrap: wrap; gap: 0 12px; font-size: 12px; color: #47505F; padding-left: 4px; }
.tme-chart-legend svg line { stroke-width: 2.6; }
.tme-chart-legend b { font-weight: 500; color: #1C2430; font-variant-numeric: tabular-nums; }
.tme-changes { font-size: 12px; margin: 6px 0 0; padding: 0; list-style: none; color: #47505F; }
.tme-changes i { font-style: normal; display: inline-block; min-width: 16px; height: 16px; border-radius: 8px; padding: 0 3px;
  background: #B0003A; color: #fff; text-align: center; font-size: 10.5px; line-height: 16px; margin-right: 5px; }
.tme-cell h4 { font-size: 15px; font-weight: 500; margin: 0 0 2px; }
.tme-cell h4 i, .tme-swatch { display: inline-block; width: 12px; height: 12px; border-radius: 50%; margin-right: 6px; }
.tme-cell table { border-collapse: collapse; width: 100%; font-size: 12.5px; margin-bottom: 8px; }
.tme-cell caption { text-align: left; font-weight: 500; color: #5B6577; padding-top: 4px; }
.tme-cell td { padding: 1px 6px 1px 0; border-bottom: 1px solid #EEF0F4; vertical-align: top; }
.tme-cell td:last-child { text-align: right; font-variant-numeric: tabular-nums; }
.tme-cell .tme-verdict { font-size: 13px; margin: 4px 0; padding: 6px 8px; border-radius: 4px; background: #EDF2FA; }
.tme-cell .tme-verdict.tme-resistant { background: #FBE9DF; }
.tme-cause { margin: 5px 0; font-size: 12.5px; }
.tme-cause .tme-push { display: flex; align-items: center; gap: 6px; }
.tme-cause .tme-push span { flex: 0 0 118px; height: 9px; background: #EEF0F4; border-radius: 2px; position: relative; }
.tme-cause .tme-push span i { position: absolute; top: 0; bottom: 0; border-radius: 2px; }
.tme-cause details { color: #47505F; font-size: 12px; margin-left: 4px; }
.tme-cause summary { cursor: pointer; color: #0B5CAD; }
.tme-cause cite { display: block; color: #6B7484; font-size: 11.5px; }
.tme-wait { height: 100vh; display: flex; align-items: center; justify-content: center; flex-direction: column; gap: 12px; }
"""
