"""Comments of our own making, spam and not, for smoke tests: ``python -m tests.data.comments.make > smoke.csv``.

Every line is one way to say something, with alternatives in braces; each is said in five ways. Nothing is taken from
anywhere. The first column names the line, so that a test can learn from some lines and judge others.
"""

# ruff: noqa: E501 - what is said in one line is one line

from __future__ import annotations

import csv
import random
import re
import sys
from collections.abc import Iterator

WAYS = 5
_CHOICE = re.compile(r"\{([^{}]*)\}")
SPAM = """
Buy {cheap|discount|wholesale} {handbags|watches|sneakers} at https://{outlet|luxe|brandz}-{deals|store}.example/ free shipping {today|this week}
{Great|Awesome|Excellent} post! I {love|really like} your {blog|site}. Visit my {site|page} too: https://{seo|rank|web}-{pro|boost}.example
Get {10|20|50} free spins and a {100|200|300}% {bonus|welcome bonus} at {Lucky|Golden|Royal} Casino https://{slots|spin}.example/?ref={77|k3|zz}
I made ${4000|7500|9200} {last month|in a week} {working from home|with this app}, see how: http://{easy|fast}cash.example/{go|start}
{Hi|Hello} friends, my {trader|broker} {Mrs Anna|Mr Olsen|Ms Rita} {doubled|tripled} my bitcoin, contact her on WhatsApp +{1|44|234} 555 {0101|0188|0147}
We can put your {website|shop} on the first page of {Google|the search engines}. Cheap backlinks, guaranteed {traffic|ranking}. Mail {seo|sales}@{rank|first}.example
{Viagra|Cialis|Slimming pills} without prescription, {lowest prices|best offer}, discreet delivery: www.{pills|meds}-{now|direct}.example
Your account has been {limited|suspended}. {Verify|Confirm} your details at http://{secure|login}-{bank|mail}.example/verify within {24|48} hours
This is {truly|really} {informative|insightful|valuable} content. Thanks for sharing such {useful|helpful} information with us, keep up the good work!
I {was able to|could} recover my {lost|stolen} crypto wallet thanks to {Rapid|Prime|Swift} Recovery. Contact {them|him} on Telegram @{rapid|prime}hacks
{Lonely|Hot|Single} girls in your area are waiting for you, click {here|this}: https://{date|meet}-{now|tonight}.example
{Cheapest|Best} payday loans, no credit check, money in {10|15} minutes! Apply at https://{quick|instant}-loan.example
[url=https://{essay|paper}-help.example]{write my essay|buy an essay}[/url] {best writers|fast delivery}, {10|20}% discount
<a href="http://{replica|copy}-watch.example">replica {watches|bags}</a> {best quality|AAA grade} {lowest|cheapest} price
Subscribe to my channel for {daily|free} {signals|tips} on forex trading, {200|300} pips a {day|week}!!!
{Wow|OMG} this {article|post} is {amazing|fantastic}, I have bookmarked it. Check out my {page|blog} for {keto|diet} recipes https://{keto|slim}.example
I am Dr. {Ade|Bello|Odion}, I cast love spells that bring back your {ex|husband|lover} in {24|48} hours. Email {drspell|lovecure}@temple.example
{Download|Get} {Photoshop|Office|Windows} {crack|keygen} free full version http://{crack|warez}-{soft|zone}.example
FREE {IPHONE|GIFT CARD|LAPTOP}!!! CLICK HERE TO CLAIM YOUR PRIZE NOW http://{win|prize}.example/{claim|now}
Looking for a reliable {hacker|spy app} to {read his messages|check your partner's phone}? Text {ghost|cyber}{hack|fix} on {WhatsApp|Telegram}
In today's fast-paced world, {this topic|your article} resonates deeply and offers {invaluable|remarkable} insights for readers everywhere. Truly inspiring!
What a {comprehensive|thought-provoking} piece! The way you {broke down|explained} the subject is {remarkable|commendable}. Looking forward to more such content.
Hi there, I found your {website|blog} via Google while searching for a {similar|related} topic, it looks {great|good}. I have bookmarked it.
I just wanted to say that your {site|page} loads fast on my phone. Which {hosting|theme} do you use? See mine at https://{my|the}-{host|theme}.example
{Invest|Deposit} ${200|500} and earn ${2000|5000} in {24 hours|3 days}, {no risk|guaranteed profit}. Message me for {details|the link}
Best {CBD|hemp} {oil|gummies} for {pain|sleep|anxiety}, {30|50}% off with code {CALM|RELAX}: https://{cbd|hemp}-shop.example
Online {poker|roulette|betting} with real money, {instant|fast} payout, join {now|today} https://{bet|poker}{win|888}.example/{bonus|join}
Need {followers|likes|views}? {1000|5000} real {Instagram|TikTok|YouTube} followers for ${5|9}. Order at www.{social|fans}-{boost|up}.example
{Thank you|Thanks} for the {auspicious|wonderful} writeup. It in fact was a amusement account it. How can we {communicate|keep in touch}?
I {always|every time} spend my {half an hour|lunch break} to read this {weblog|webpage}'s posts {everyday|daily} along with a {cup|mug} of coffee.
{Cheap|Affordable} {roofing|plumbing|locksmith} services in {your city|London|Dallas}, call {0800|0900} 555 {123|456}, free quote: https://{fix|home}-pro.example
Claim your {airdrop|free tokens}: connect your {wallet|MetaMask} at https://{claim|drop}-{token|coin}.example before {midnight|Friday}
Our {AI|automated} {trading bot|software} earns {5|8}% a day, join {3,000|10,000} happy members https://{bot|auto}-{profit|trade}.example/?ref={12|x7}
Nice {article|info}, I {shared|posted} it. Please visit https://{news|info}-{daily|hub}.example and https://{shop|buy}-{daily|hub}.example and leave a comment
Escort {service|girls} {Delhi|Dubai|Berlin}, {call|text} {0555|0777} {1234|9876}, 24 hours, {photos|prices} at https://{vip|elite}-escorts.example
Do you want {a visa|citizenship|a driving licence} without exams? We issue {registered|real} documents, write to {docs|papers}@{fast|real}-id.example
My {wife|husband} was cured of {herpes|diabetes} by herbal {medicine|remedies} from Dr {Osas|Kofi}, contact him at {herbal|cure}@{home|healing}.example
Earn {passive|extra} income {online|from your phone}! Sign up with my link and get ${25|50} free: https://{earn|app}.example/invite/{a1|b2|c3}
As a {passionate|devoted} reader I must say this {post|blog} stands out. Your {expertise|dedication} shines through every paragraph! Visit {us|me} at https://{expert|growth}-{lab|hub}.example
Watch {full movies|live football|all series} free in HD https://{stream|watch}-{free|hd}.example no registration {needed|required}
"""
HAM = """
I {walk|cycle} past the {mill|harbour} every morning and never {knew|heard} that it still {turned|worked}. {Thank you for|Good to read} this.
The {council|mayor} promised this {three|five} years ago. I'll believe it when I see {a crane|the first stone|a budget}.
My {grandfather|aunt} worked on that {ferry|boat} until {1968|1974}; he {told us|used to say} that the winter crossings were the worst.
Isn't the {second|third} figure wrong? {The report|Page 12 of the report} says {4.2|3.8} million, not {42|38}.
I disagree with the {author|editor} about the {bridge|tunnel}. The {traffic|noise} comes from the ring road, and that won't change.
Could you please say where the {public meeting|hearing} will be held, and at what time?
{Sad|Sorry} to hear about {Mr Lund|Mrs Hale}. {He|She} taught me {maths|music} at the {grammar|primary} school in the {seventies|eighties}.
@{Tom|Ines|Per}: that is not what the {article|study} says. It says "most", not "all", and it is about {adults|pupils}.
If they {close|move} the {library|post office} the nearest one is {nine|twelve} miles away, with two buses a day.
The {photograph|picture} is from the {other|north} side; you can see the {church|lighthouse} behind the sheds. Lovely all the same.
{Eelgrass|Seagrass} needs clear water, so the {dredging|new jetty} matters more than the {anchors|boats}. Has anybody measured it?
Why does it always take a {flood|storm} before anybody {cleans|checks} the drains in {Mill Lane|Quay Street}?
We had the same {problem|debate} in our {village|town}. In the end a {volunteer|retired engineer} fixed the {clock|pump} in an afternoon.
I'm {a nurse|a teacher|a farmer} and this is the first piece that gets the {night shifts|budget|milk price} right.
{Typo|Small correction}: it is {Hedley|Thorvald}, not {Headley|Torvald}, in the {fourth|last} paragraph.
Nobody asked the {fishermen|tenants|parents}. They would have told them about the {current|damp|timetable}.
The {tide tables|timetables} are on the harbour office's page, https://harbour.example/tides, if anyone needs them.
That {headline|title} is a bit much. Nothing in the text says that the {school|clinic} will close.
Ha, the {goat|seal|swan} again! It {stole|ate} my {sandwich|hat} last {summer|week} on the {pier|green}.
I voted for {her|him} and I would again, but this {answer|decision} about the {parking fees|playground} is poor.
A {fair|balanced} article, though I miss the {view|voice} of the {bus drivers|residents of the east side}.
When I was a child the {river|bay} froze over every {January|winter} and we {skated|walked} to the island.
How much does it cost to run the {pool|museum} for a year? The {piece|article} gives only the price of the {roof|repair}.
They should ask the {Dutch|Danes}; they have built {dykes|wind farms} like that for {decades|forty years}.
The {band|choir} was wonderful on {Saturday|Sunday}, in spite of the {rain|microphone}. More of that, please.
{No|Honestly, no}: you cannot compare a {village|town} of {900|2,000} people with {London|Oslo}.
I was there. It took the {ambulance|fire brigade} {twenty|thirty-five} minutes, and nobody {blames|blamed} the crew.
What happened to the {plan|idea} of a {footpath|cycle lane} along the {old railway|canal}? It was in your paper in {spring|March}.
Thank you to the {stranger|young man} who brought back my {purse|dog} on {Tuesday|Friday}. I did not even get your name.
The {minister|company} says "temporary". The last temporary {barrier|car park} stood for {eleven|fourteen} years.
It's not the {farmers|cyclists}' fault. Read the {rules|regulation}; they {have to|must} do it before {April|the frost}.
My {letter|question} to the {water board|county} has gone unanswered since {May|August}. Perhaps a reporter has more luck.
I {liked|enjoyed} the recipe, but {200|300} grams of {butter|salt}? Surely that's a {mistake|slip}.
Both sides have a point. A {smaller|shorter} {quay|runway} would leave room for the {terns|allotments}.
Rents here have gone up by {a third|a quarter} since {2020|2021}, and the new {flats|houses} stand empty half the year.
{Does anyone know|Can somebody tell me} whether the {night bus|late train} still stops at {Holm|Fenwick} on {Sundays|holidays}?
The {old|former} {dairy|school} would make a better {town hall|workshop} than anything they could build for that money.
This reminds me of {1987|1991}, when the {whole street|power} was {under water|out} for {two|four} days and everybody cooked together.
I have read the {judgment|minutes}: the {court|board} never said that the {owner|club} was {right|to blame}.
Well {written|researched}, and sobering. I had no idea that the {pipes|cables} were that old.
"""


def said(line: str, chance: random.Random) -> str:
    """One way to say a line."""
    return _CHOICE.sub(lambda found: chance.choice(found[1].split("|")), line)


def rows() -> Iterator[tuple[str, str, int]]:
    """Line, text, and 1 for spam."""
    for spam, lines in ((0, HAM), (1, SPAM)):
        for number, line in enumerate(lines.strip().splitlines()):
            chance = random.Random(f"{spam} {number}")
            for _ in range(WAYS):
                yield f"{'spam' if spam else 'ham'}-{number}", said(line, chance), spam


if __name__ == "__main__":
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("LINE", "CONTENT", "CLASS"))
    writer.writerows(rows())
