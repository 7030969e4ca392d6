# SPDX-License-Identifier: GPL-2.0
#
# gnuplot: ratios of cells, with their spread. data, out, type and what come
# from rig/bench-plot.sh.

if (type eq 'svg') {
	set terminal svg size 1600,640 font 'sans,12' background 'white'
} else {
	set terminal pngcairo size 1600,640 font 'sans,10'
}
set output out
set title 'How many times as fast as the first kernel: '.what
set style data histogram
set style histogram errorbars gap 1 lw 1
set style fill solid 0.8 noborder
set errorbars 0 linecolor 'black'
set xtics rotate by -60 scale 0 noenhanced
set ytics nomirror
set yrange [0:*]
set grid ytics
set key outside top center horizontal noenhanced
set arrow from graph 0, first 1 to graph 1, first 1 nohead lw 1.5 front
n = (words(system("sed -n 2p '".data."' | sed 's/\"[^\"]*\"/x/'")) - 1) / 3
plot for [i=0:n-1] data \
	using (column(2 + 3 * i)):(column(3 + 3 * i)):(column(4 + 3 * i)):xtic(1) \
	linecolor i + 1 title columnheader(2 + 3 * i)
