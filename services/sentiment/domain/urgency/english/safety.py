"""Danger to life or health, in English."""

from services.sentiment.domain.urgency.english.words import BODY, DEVICE, LIMB, STAFF

URGENT = f"""
caught/catching/catches fire
burst*/went/go/goes into/up_in flames
started/starts/cause*/caused/causing a fire
is/was/went/set ~ on fire
smoke ~ came/coming/comes/pour*/from/out/fill*
started/starts/start/began/begins/is/was/keeps/were smoking
electric/electrical/static shock*
electrocut*
got/get/gave/gives/received a shock from/when
allergic/anaphylactic reaction*/shock
anaphyla*
burn/burned/burnt/burns/burning/scald* ~ my/his/her/our/their {BODY}
burned/burnt/scald* myself/himself/herself/son/daughter/child/kid/me
burns on my/his/her
exploded/explodes/exploding/explode
an explosion
{DEVICE}/it/phone/laptop/unit/machine/tyre/tire/kettle/oven/bottle/then ~ blew/blown/blows/blow up
was/were/got/been/is/seriously/badly injured/hurt/wounded/bitten
injured/injures/hurt ?my/his/her ?little/old ?son's/left/right {BODY}/son/daughter/child/kid/kids/baby/wife/husband/mother/\
father/dog/cat
injured me/someone/us
injur* ... because/when/from/after/due
chair/ladder/shelf/bed/stool/table/bench/scaffold*/crib/cot/stroller/railing ~ collaps*/broke_under/gave_way
found/find/was/were/had/bit ... glass/metal/needle*/blade/blades/screw/plastic ~ in/inside
ended/end/taken/rushed/went/go/admitted/landed/put/brought ... hospital/emergency_room/er/emergency/icu/hospitalised
hospitali*
call*/needed/need/called/calling ~ ambulance/paramedic*/fire_brigade/fire_department/911/999/112
food poisoning
poisoned/poisoning
kill/killing/hurt/harm/harming myself/ourselves/yourself/himself/herself
suicid*/self_harm/self_harming
end/ending/take/taking my ?own life
want/wanna/going/wish ~ to/i die/was_dead/were_dead
could/might/nearly/almost/would ~ kill/killed/died/die/drowned/suffocated
brake/brakes ~ fail/failed/failing/broke/gave/stopped/not/dont/didnt
brakes/brake/steering failure
threat* ~ me/us/my/him/her/our/violence/to_kill/to_hurt
assaulted/assaults/assaulting/assault me/us/my/his/her/by
attack*/punch*/punched ~ me/my/us/him/her
smell*/smelled/smelt/stink*/reek* ~ of/like ~ gas/burning/burnt
gas leak*
carbon_monoxide
got/gave/gives/have/has/having/had/developed/caused ~ rash/rashes/hives/blister*/swelling
face/lips/eyes/throat/tongue/skin ~ swell*/swelled/swollen/swelling/blistered/peeling
cant/couldnt/trouble/difficulty/stopped/unable_to ~ breath*
sparking/sparks
cut/cuts/slashed/sliced ~ my/his/her ~ {BODY}
choked/choking/chokes/choke on
nearly/almost chok*/drown*/suffocat*
{DEVICE} ~ melt*/melted/burst/burning/burnt/burned/sparks/sparking/smoking/swollen/leaking
feel*/felt ~ unsafe/threatened/in_danger
fire/safety/health/choking/electrical hazard*/risk/risks
is/was/are/were/extremely/very/really/so dangerous
life threatening
made/makes/making ~ sick/faint/vomit/pass_out/ill/dizzy
fainted/passed_out/unconscious/seizure
contaminated
got/was/get/getting/been/it/me zapped
zapped/zaps/shocks/shocked/jolted me/us/when/my/him/her ~ touch*/plug*/when/i/./,
got/gave/gives/felt/received/get ~ jolt/zap
gave/gives/got/giving me/us/him/her/my ?wife/son/daughter ?a/an ?nasty/bad/massive/huge/mild/small shock
my/his/her/our ~ {BODY} ~ got/was/were/is/are/been burn*/burnt/swollen/numb/bleeding/blister*/crushed/broken/trapped/cut
first/second/third degree burn*
got/was/were/been/is ~ scalded/burned/burnt/electrocuted ./by/on/when/after
broke/came/break/breaking/breaks ~ out in/with ~ hives/rash/spots/blisters/welts/boils
skin ~ blister*/burning/peel*/came/itch* ?off/out
throat/airway/airways/chest ~ closed/closing/tight*/swell*
shard/shards
piece/pieces/bit/bits/chunk/chunks/fragment/fragments of ~ glass/metal/bone/wire/stone/plastic/rubber ~ in/inside
bit/broke/chipped/cracked/lost ~ tooth/teeth
broke/broken/fractur*/sprained/twisted/dislocated/crushed/jammed/trapped/pinched/burnt ~ my/his/her/their/own ~ {LIMB}
fell/slipped/tripped/slip/fall/falling ... loose/broke/broken/snapped/collaps*/gave_way/wet/slippery/unsecured/hurt/injur*
intensive_care
had/needed/need/needs/requir* ~ stitches/surgery/medical_attention/medical_treatment/hospital
had to see/visit/call/go_to ~ doctor/vet/gp/dermatologist/a_and_e
doctor/doctors/vet/paramedic* ~ said/says/confirmed/thinks ... from/caused/because/due/allerg*/poison*
swallow* ~ magnet/battery/part/piece/button/screw/bead/glass/plastic/loose
battery/batteries/powerbank/power_bank/accu ~ swell*/swollen/bulging/bloated/leaking/leaked/hissing/overheat*
overheat* ... fire/burn*/smoke/smoking/melt*/explod*/flames
set/setting/sets ... on_fire/alight/ablaze
burn/burned/burnt/burning/burns ~ my/our/the ~ house/flat/home/kitchen/apartment/car/carpet/sheet/sheets/bed/sofa/table/desk/\
floor/couch/curtain/curtains/hole
threw/throwing/thrown/throw up ./,/after/all/for/when/from
vomited/vomiting/puking/puked/diarrhoea/diarrhea/nauseous
got/get/getting/fell/fallen/became/becoming ~ ill/sick/unwell ./,/after/from/because/when
salmonella/e_coli/listeria/botulism/norovirus/legionella
grabbed/slapped/shoved/groped/molest*/stalk*/spat_at/spat_on/punched/beat_up/strangled ~ me/us/my/him/her
{STAFF} ~ hit/pushed/touched/grabbed/struck/harass*/kicked/slapped/shoved/hits/pushes ~ me/my/us/him/her/one
sexual/sexually harass*/assault*/abus*
touched/touching ~ inappropriately
followed/following me/her/us/my ~ home
drunk/drunken driver/courier/technician
driver/courier/pilot/rider ~ drunk/asleep/intoxicated/stoned
nearly/almost ran/hit/knocked/run/crashed/crushed me/us/my/over/him/her/into/a
fear*/scared/afraid/worried for ~ life/safety
dont/no/not/cant ~ want/point/reason/wish/see/will ~ to/in ?go_on live/living/be_alive/exist ./,/any/anymore/longer/like_this
dont/not ~ want/wish ~ be here/alive any/anymore/longer
better off dead
hurting/cutting/harm myself
steering/throttle/accelerator/airbag/airbags/seat_belt/seatbelt/seatbelts ~ locked/failed/snapped/did/didnt/doesnt/stuck/broke/\
wont/jammed/not/came
wheel/wheels/tyre/tire/door/bonnet ~ came/fell/flew/blew/burst ... driving/motorway/road/riding/highway/speed
leak* ~ gas/fuel/petrol/acid/chemical*/radiation
fumes
toxic/poisonous fumes/smell/chemical*/substance*/gas/smoke
fell/crashed/landed/collapsed/came_down/dropped on/onto ~ {BODY}/child/son/daughter/baby/me/us/him/her/foot
someone/somebody/people/anyone/child/kid/kids ... get/gets/getting/got/be hurt/killed/injured/burned/burnt
death_trap/deathtrap
accident waiting
cat/dog/pet/puppy/kitten/horse/rabbit/baby/child/son/daughter/husband/wife/mother/father ~ died/collapsed/sick/ill/unwell ~ \
after/from/because/when/since
bleeding/bled
exposed/live/bare wire/wires/wiring
"""

UNLESS = """
player*/match/goal/league/coach/season
smoking hot/area/room
toy/toys/game/movie/film/novel/book/song/album/series/episode/podcast
with/of flavour*/flavor*/taste
blew/blow me_away/up_the_picture/up_the_photo
blow/blew/blown up the/a picture/photo/image/balloon/mattress
price/prices/bill/cost ~ shock
kicked ~ out/off
bleeding edge
"""
