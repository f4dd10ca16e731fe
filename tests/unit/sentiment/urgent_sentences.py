"""Comments that should not wait, by reason and language, and such as can; written before the patterns of `domain/urgency`.

One comment a line. Patterns were tuned on the first of every two lines (`TUNED`), the second (`HELD_OUT`) was only ever
counted. Those of `NEWER` were written after the first patterns, to be said otherwise, and then tuned on.
"""

from collections.abc import Iterator
from typing import NamedTuple

from shared.events import Urgency


class Sentence(NamedTuple):
    """A comment, its language, and why it should not wait: one reason, or none."""

    text: str
    language: str
    reason: Urgency | None


URGENT: dict[Urgency, dict[str, str]] = {
    "legal_threat": {
        "en": """
If this isn't fixed by Friday I will sue you.
You'll be hearing from my lawyer.
I am taking you to court over this.
My solicitor will be in touch with your company shortly.
I'm going to file a complaint with the consumer protection agency.
We are considering legal action against your firm.
See you in small claims court!
I have already spoken to my attorney and we have a strong case.
I will report you to trading standards if I don't get an answer.
This is a breach of contract and we will pursue it legally.
I'll be reporting this to the BBB and the attorney general.
Expect a lawsuit.
I've instructed my lawyers to act on this.
Pay me back or I'll take legal steps.
I am filing a claim with the ombudsman.
I’m going to the police about your driver.
We reserve the right to take legal action.
Legal proceedings will be started if we have not heard from you within 14 days.
I'm contacting the financial ombudsman today.
You broke GDPR and I will be lodging a complaint with the data protection authority.
My lawyer says you owe me the full amount.
I want this in writing because I am going to court.
I have reported you to the police.
This is false advertising and I'm joining the class action.
suing your company tomorrow morning, wait for it
Final warning before I hand this over to my lawyers.
""",
        "de": """
Wenn bis Freitag nichts passiert, schalte ich meinen Anwalt ein.
Ich werde Sie verklagen.
Das geht jetzt an meinen Rechtsanwalt.
Wir behalten uns rechtliche Schritte vor.
Ich werde Anzeige erstatten, das ist Betrug am Kunden!
Ich wende mich an die Verbraucherzentrale.
Dann sehen wir uns eben vor Gericht.
Ich habe das bereits meiner Anwältin übergeben.
""",
        "fr": """
Je vais porter plainte contre votre société.
Mon avocat prendra contact avec vous.
Sans réponse sous huit jours, je saisirai le tribunal.
Nous engagerons des poursuites judiciaires.
Je vais signaler votre entreprise à la DGCCRF.
On se verra au tribunal.
J'ai transmis le dossier à mon avocate.
Je vous mets en demeure de me livrer sous huit jours.
""",
        "es": """
Voy a demandarles si no me contestan.
Mi abogado se pondrá en contacto con ustedes.
Nos vemos en los tribunales.
Voy a poner una denuncia en la policía.
Tomaré acciones legales contra la empresa.
Lo he puesto en manos de mi abogada.
Presentaré una reclamación ante la oficina de consumo.
Los voy a denunciar a Profeco.
""",
        "pt": """
Vou processar a empresa.
O meu advogado vai entrar em contacto convosco.
Vou abrir uma reclamação no Procon.
Se não resolverem, vou à justiça.
Vou apresentar queixa na polícia.
Tomaremos medidas legais contra vocês.
Já falei com a minha advogada sobre o caso.
Nos vemos no tribunal.
""",
        "it": """
Vi faccio causa.
Il mio avvocato vi contatterà a breve.
Ci vediamo in tribunale.
Procederò per vie legali.
Vado a sporgere denuncia ai carabinieri.
Ho già passato tutto al mio legale.
Segnalerò tutto all'antitrust.
Vi denuncio se non mi rispondete.
""",
        "nl": """
Ik schakel mijn advocaat in.
Als jullie niet reageren stap ik naar de rechter.
Ik ga juridische stappen ondernemen.
Ik heb aangifte gedaan bij de politie.
Dit gaat naar mijn rechtsbijstand.
We zien elkaar in de rechtszaal.
Ik doe aangifte tegen jullie bedrijf.
Mijn advocaat neemt contact met u op.
""",
        "ar": """
سأقاضيكم إذا لم تحلوا المشكلة
سوف أرفع دعوى ضد الشركة
المحامي الخاص بي سيتواصل معكم
سأتخذ الإجراءات القانونية ضدكم
سأقدم شكوى إلى حماية المستهلك
نلتقي في المحكمة
سأرفع قضية عليكم
سأبلغ الشرطة عنكم
""",
    },
    "safety": {
        "en": """
The charger caught fire on my desk.
Smoke came out of the back of the machine after ten minutes.
I got an electric shock when I touched the handle.
My daughter had an allergic reaction because nuts were not on the label.
I burned my hand on the lid.
The battery exploded while charging.
My son was injured when the chair collapsed.
Found glass in my yoghurt, could have killed someone.
I ended up in hospital after eating this.
The whole family got food poisoning from your chicken.
I can't take it anymore, I want to kill myself.
The brakes failed on the motorway.
Your driver threatened me at my own front door.
There is a smell of gas coming from the heater.
It gave me a nasty rash and my face swelled up.
The plug is sparking and it smells of burning plastic.
I cut my finger badly on a sharp edge.
the power bank started smoking in my bag
My dog was poisoned by this food.
The blender overheats and the cable melted.
I feel unsafe with your technician in my house, he assaulted my neighbour.
The pills made me faint, I had to call an ambulance.
My toddler nearly choked on a loose part.
I've been thinking about ending my life because of this debt.
Carbon monoxide alarm went off after your engineer serviced the boiler.
She had to go to the emergency room after using your cream.
""",
        "de": """
Das Ladegerät hat Feuer gefangen.
Aus dem Gerät kam plötzlich Rauch.
Ich habe einen Stromschlag bekommen.
Meine Tochter hatte eine allergische Reaktion auf die Creme.
Ich habe mich an dem Deckel verbrannt.
Der Akku ist beim Laden explodiert.
Mein Sohn hat sich am Stuhl verletzt.
Ich musste danach ins Krankenhaus.
""",
        "fr": """
Le chargeur a pris feu.
De la fumée sort de l'appareil.
J'ai reçu une décharge électrique en touchant la poignée.
Ma fille a fait une réaction allergique.
Je me suis brûlé la main avec le couvercle.
La batterie a explosé pendant la charge.
Mon fils s'est blessé avec cette chaise.
J'ai fini aux urgences à cause de votre produit.
""",
        "es": """
El cargador se incendió en mi mesa.
Sale humo del aparato.
Me dio una descarga eléctrica al tocarlo.
Mi hija tuvo una reacción alérgica.
Me quemé la mano con la tapa.
La batería explotó mientras cargaba.
Mi hijo se lastimó con la silla.
Terminé en el hospital por comer esto.
""",
        "pt": """
O carregador pegou fogo.
Está saindo fumaça do aparelho.
Levei um choque elétrico ao tocar na torneira.
A minha filha teve uma reação alérgica.
Queimei a mão na tampa.
A bateria explodiu durante o carregamento.
O meu filho feriu-se na cadeira.
Fui parar ao hospital depois de comer isto.
""",
        "it": """
Il caricatore ha preso fuoco.
Esce fumo dal forno.
Ho preso la scossa toccando la maniglia.
Mia figlia ha avuto una reazione allergica.
Mi sono bruciato la mano con il coperchio.
La batteria è esplosa durante la carica.
Mio figlio si è ferito con la sedia.
Sono finita al pronto soccorso per colpa vostra.
""",
        "nl": """
De oplader vloog in brand.
Er komt rook uit het apparaat.
Ik kreeg een elektrische schok toen ik hem aanraakte.
Mijn dochter kreeg een allergische reactie.
Ik heb mijn hand verbrand aan het deksel.
De accu is ontploft tijdens het laden.
Mijn zoon is gewond geraakt door de stoel.
Ik moest naar het ziekenhuis door jullie product.
""",
        "ar": """
الشاحن احترق على مكتبي
يخرج دخان من الجهاز
تعرضت لصدمة كهربائية
ابنتي أصيبت بحساسية شديدة من الكريم
انفجرت البطارية أثناء الشحن
ابني أصيب بجروح بسبب الكرسي
نقلت إلى المستشفى بعد أكل هذا المنتج
اشتعلت النار في السماعة
""",
    },
    "cancellation": {
        "en": """
I want to cancel my subscription.
How do I cancel my contract?
Please close my account immediately.
We are switching to another provider next month.
I'm cancelling today.
I am leaving for a competitor.
Terminate my plan with immediate effect.
After this experience we won't be renewing.
Just cancelled my membership, done with you guys.
I'm done, moving to your competitor.
We have decided to end our contract with you.
I'd like to unsubscribe from the premium plan.
Where can I cancel my membership?
If the price goes up again I will leave.
You have lost a customer.
Not going to renew my subscription next year.
I'll take my business elsewhere.
I am moving my account to another bank.
Delete my account please, I am done with this.
We will not be renewing our licence when it runs out.
Cancel my account now.
time to switch providers I guess
Thinking about cancelling my subscription because of the ads.
I have already signed up with a different company, so stop my service.
I want out of this contract.
Last straw, I'm quitting your service.
""",
        "de": """
Ich möchte meinen Vertrag kündigen.
Hiermit kündige ich mein Abo fristgerecht.
Wie kann ich mein Abonnement kündigen?
Wir wechseln zum nächsten Monat den Anbieter.
Ich bin weg, die Konkurrenz ist besser.
Bitte löschen Sie mein Konto.
Ich habe heute gekündigt.
Wir werden den Vertrag nicht verlängern.
""",
        "fr": """
Je souhaite résilier mon contrat.
Comment résilier mon abonnement ?
Je vais changer d'opérateur.
Veuillez clôturer mon compte.
Je pars à la concurrence.
J'ai décidé d'annuler mon abonnement.
Nous ne renouvellerons pas notre contrat.
Je vous quitte, vous avez perdu un client.
""",
        "es": """
Quiero cancelar mi suscripción.
¿Cómo puedo dar de baja mi contrato?
Me voy a cambiar de compañía.
Cierren mi cuenta por favor.
Me doy de baja.
Me paso a la competencia.
No vamos a renovar el contrato.
Han perdido un cliente.
""",
        "pt": """
Quero cancelar a minha assinatura.
Como faço para cancelar o meu contrato?
Vou mudar de operadora.
Por favor encerrem a minha conta.
Vou para a concorrência.
Quero rescindir o contrato.
Não vamos renovar a subscrição.
Acabei de cancelar meu plano.
""",
        "it": """
Voglio disdire il contratto.
Come faccio a disdire l'abbonamento?
Passo alla concorrenza.
Chiudete il mio account.
Ho deciso di cambiare operatore.
Vorrei recedere dal contratto.
Non rinnoveremo il contratto.
Ho appena cancellato il mio abbonamento.
""",
        "nl": """
Ik wil mijn abonnement opzeggen.
Hoe kan ik mijn contract opzeggen?
Ik stap over naar een andere aanbieder.
Verwijder mijn account alstublieft.
Ik ga naar de concurrent.
Ik zeg mijn abonnement op.
Wij gaan het contract niet verlengen.
Jullie zijn een klant kwijt.
""",
        "ar": """
أريد إلغاء اشتراكي
كيف يمكنني إلغاء الاشتراك؟
سأنتقل إلى شركة أخرى
أرجو إغلاق حسابي
قررت إنهاء العقد معكم
سألغي اشتراكي اليوم
لن أجدد الاشتراك
أريد حذف حسابي نهائيا
""",
    },
    "outage": {
        "en": """
The service is down again.
Nobody in our office can log in since this morning.
Your site has been down for two hours.
We can't work because the system is not responding.
Complete outage here, nothing loads.
The internet has been out since Monday.
All our users are getting error 500.
The whole platform is unavailable.
My phone line has been dead for three days.
No internet connection at all since last night.
The API is returning 503 for every request.
We are at a standstill because of you, production has stopped.
App is completely down for everyone.
Servers down again?
I haven't been able to work all day because of this.
Nothing works since the update, the entire team is blocked.
Your payment gateway is offline and we are losing sales.
I have no signal anywhere in town since yesterday.
We've had no hot water or heating for two days.
The website isn't reachable.
All checkouts fail at the moment, our shop can't sell.
There's been a power cut on our street since 6 am and no information.
Is the system down? Nobody can access it.
our tills stopped working in all stores
I am locked out and cannot do my job.
Total blackout of the dashboard for the whole company.
""",
        "de": """
Seit heute Morgen geht gar nichts mehr.
Ihr Dienst ist schon wieder ausgefallen.
Die Server sind down.
Wir können nicht arbeiten.
Ich habe seit drei Tagen kein Internet.
Keiner im Büro kann sich anmelden.
Totalausfall bei uns im ganzen Haus.
Die Website ist nicht erreichbar.
""",
        "fr": """
Le service est en panne depuis ce matin.
Plus rien ne fonctionne.
Je n'ai plus internet depuis trois jours.
Nous ne pouvons plus travailler.
Le site est inaccessible.
Personne ne peut se connecter au bureau.
Le serveur est hors service.
Coupure totale chez nous depuis hier.
""",
        "es": """
El servicio está caído desde esta mañana.
No podemos trabajar.
Llevo tres días sin internet.
La página no carga para nadie.
El sistema no responde y estamos parados.
Nadie en la oficina puede entrar.
Se cayó el sistema otra vez.
Estamos sin servicio desde ayer.
""",
        "pt": """
O serviço está fora do ar.
Não conseguimos trabalhar.
Estou sem internet há três dias.
O sistema caiu de novo.
Ninguém consegue entrar no sistema.
O site está indisponível desde ontem.
Está tudo parado na empresa por vossa causa.
Estamos sem rede desde manhã.
""",
        "it": """
Il servizio è fuori uso da stamattina.
Non possiamo lavorare.
Sono senza internet da tre giorni.
Il sito non è raggiungibile.
Non funziona più niente.
Nessuno in ufficio riesce ad accedere.
I server sono giù.
Siamo completamente bloccati da ieri.
""",
        "nl": """
De dienst ligt eruit.
We kunnen niet werken.
Ik heb al drie dagen geen internet.
De website is niet bereikbaar.
Er is weer een storing.
Niemand op kantoor kan inloggen.
Alles ligt plat sinds vanochtend.
Het systeem is down.
""",
        "ar": """
الخدمة متوقفة منذ الصباح
لا نستطيع العمل
الإنترنت مقطوع منذ ثلاثة أيام
الموقع لا يعمل عند الجميع
النظام معطل
لا أحد يستطيع الدخول إلى النظام
انقطاع كامل للخدمة
الموقع متعطل منذ أمس
""",
    },
    "money_taken": {
        "en": """
I was charged twice for the same order.
There is a charge on my card that I never authorised.
You took money from my account without permission.
I still haven't received my refund after six weeks.
You refuse to give me my money back.
I've been double charged.
Someone used my account to buy things, this is fraud.
My card was billed three times.
Unauthorized transaction of $250 on my statement.
You debited my account although I had no contract any more.
They keep charging me after I closed everything.
Where is my refund? It was promised a month ago.
You overcharged me by 80 euros.
The money left my account but the order does not exist.
I have been scammed by a seller on your platform.
Payment was taken twice
You stole my money.
Duplicate payment of my March invoice, please check
I don't recognise this payment on my credit card.
My account was hacked and money is missing.
I was promised a refund and nothing has arrived.
Why was I charged for something I never ordered?
Refund denied, even though the parcel never came.
you've taken the payment two times from my bank
Fraudulent charges on my account!
I was billed for a month I did not use and nobody gives the money back.
""",
        "de": """
Mir wurde der Betrag zweimal abgebucht.
Sie haben Geld von meinem Konto abgebucht, ohne dass ich zugestimmt habe.
Ich warte seit Wochen auf meine Rückerstattung.
Meine Karte wurde doppelt belastet.
Jemand hat mit meinem Konto eingekauft, das ist Betrug.
Sie weigern sich, mir mein Geld zurückzugeben.
Unberechtigte Abbuchung von 80 Euro auf meinem Konto.
Ich will mein Geld zurück!
""",
        "fr": """
J'ai été débité deux fois.
Un prélèvement non autorisé est apparu sur mon compte.
J'attends toujours mon remboursement.
Vous refusez de me rembourser.
Ma carte a été utilisée frauduleusement.
On m'a facturé deux fois la même commande.
Vous m'avez prélevé 80 euros sans mon accord.
Rendez-moi mon argent.
""",
        "es": """
Me cobraron dos veces el mismo pedido.
Hay un cargo no autorizado en mi tarjeta.
Todavía no me han devuelto el dinero.
Se niegan a reembolsarme.
Alguien usó mi cuenta, es un fraude.
Me han hecho un doble cobro.
Me cobraron sin mi autorización.
Devuélvanme mi dinero.
""",
        "pt": """
Fui cobrado duas vezes.
Há uma cobrança não autorizada no meu cartão.
Ainda não recebi o meu reembolso.
Recusam-se a devolver o meu dinheiro.
Houve uma fraude na minha conta.
Cobraram em duplicado a mesma fatura.
Debitaram da minha conta sem autorização.
Quero o meu dinheiro de volta.
""",
        "it": """
Mi avete addebitato due volte lo stesso ordine.
C'è un addebito non autorizzato sulla mia carta.
Aspetto ancora il rimborso.
Vi rifiutate di rimborsarmi.
Qualcuno ha usato la mia carta, è una frode.
Doppio addebito sul conto.
Avete prelevato soldi dal mio conto senza permesso.
Rivoglio i miei soldi.
""",
        "nl": """
Er is twee keer afgeschreven voor dezelfde bestelling.
Er staat een onbekende afschrijving op mijn rekening.
Ik wacht nog steeds op mijn terugbetaling.
Jullie weigeren mijn geld terug te geven.
Er is fraude gepleegd met mijn account.
Het bedrag is dubbel afgeschreven.
Jullie hebben zonder toestemming geld van mijn rekening gehaald.
Ik wil mijn geld terug.
""",
        "ar": """
تم خصم المبلغ مرتين
هناك عملية غير مصرح بها على بطاقتي
لم أستلم المبلغ المسترد حتى الآن
ترفضون إرجاع أموالي
تعرضت للاحتيال وسرقة حسابي
سحبتم المال من حسابي بدون إذني
خصمتم من بطاقتي مرتين
أريد استرداد أموالي
""",
    },
    "repeated_contact": {
        "en": """
This is the third time I am writing to you.
Still no answer after four emails.
I have called five times and nobody helps.
I've contacted support several times about this.
How many more times do I have to explain this?
I keep getting passed from one agent to another.
Third email about the same issue.
I've been asking for weeks and nobody replies.
For the fourth time: my address is wrong.
Multiple emails sent, zero response.
I had to call again and again.
Second time I report this and still not fixed.
I have written to you repeatedly without any reply.
Nobody has responded to my previous messages.
Yet another ticket for the same problem, the last three were ignored.
I called 3 times last week.
Still waiting for a reply to my last two emails.
My emails go unanswered.
I've sent you six messages and got no response.
Every time I call I have to tell my story again.
You never replied to any of my tickets.
Following up once more since no one got back to me.
I have opened three tickets already and each was closed without an answer.
Been chasing you for a month now.
it's my 4th attempt to reach someone
No one ever calls me back, I have asked so many times.
""",
        "de": """
Ich schreibe Ihnen jetzt zum dritten Mal.
Trotz mehrerer E-Mails keine Antwort.
Ich habe schon fünfmal angerufen.
Das ist meine vierte Anfrage zu diesem Thema.
Auf meine letzten Mails hat niemand reagiert.
Immer noch keine Antwort auf meine Nachrichten.
Zum wiederholten Mal bitte ich um Rückmeldung.
Ich habe mehrfach nachgefragt.
""",
        "fr": """
C'est la troisième fois que je vous écris.
Malgré plusieurs mails, aucune réponse.
J'ai appelé cinq fois sans succès.
Toujours pas de réponse à mes messages.
Je vous ai relancé à plusieurs reprises.
Voici mon quatrième mail à ce sujet.
Personne ne répond à mes mails.
Je ne compte plus mes appels.
""",
        "es": """
Es la tercera vez que les escribo.
He llamado cinco veces y nadie me ayuda.
Sigo sin respuesta después de varios correos.
Nadie responde a mis mensajes.
Ya les he escrito varias veces.
Este es mi cuarto correo sobre el tema.
He contactado repetidamente con soporte.
Por tercera vez pido que me llamen.
""",
        "pt": """
É a terceira vez que escrevo.
Já liguei cinco vezes e nada.
Continuo sem resposta aos meus emails.
Ninguém responde às minhas mensagens.
Já contactei o suporte várias vezes.
Este é o meu quarto email sobre o assunto.
Pela terceira vez peço ajuda.
Mandei vários e-mails sem resposta.
""",
        "it": """
È la terza volta che vi scrivo.
Ho chiamato cinque volte senza risultato.
Ancora nessuna risposta alle mie mail.
Nessuno risponde ai miei messaggi.
Vi ho contattato più volte.
Questa è la mia quarta segnalazione.
Per l'ennesima volta chiedo assistenza.
Ho mandato diverse email senza risposta.
""",
        "nl": """
Dit is de derde keer dat ik schrijf.
Ik heb al vijf keer gebeld.
Nog steeds geen antwoord op mijn mails.
Niemand reageert op mijn berichten.
Ik heb meerdere keren contact opgenomen.
Dit is mijn vierde mail hierover.
Voor de derde keer vraag ik om hulp.
Al herhaaldelijk gemaild zonder reactie.
""",
        "ar": """
هذه المرة الثالثة التي أراسلكم فيها
اتصلت خمس مرات ولم يساعدني أحد
لم أتلق أي رد على رسائلي
لا أحد يرد على رسائلي
تواصلت معكم عدة مرات
للمرة الثالثة أطلب المساعدة
راسلتكم أكثر من مرة بدون رد
أرسلت عدة رسائل ولا جواب
""",
    },
}

NOT_URGENT: dict[str, str] = {
    "en": """
There was no need to call my lawyer, you solved it at once.
I won't cancel, you convinced me to stay.
I'm not going to sue anyone, I just want my parcel.
Can I cancel an order?
What is your cancellation policy?
How long do I have to cancel a hotel booking?
I was charged twice but you refunded it at once, thank you.
Charged twice by mistake, but the money was back the next day.
Fire your designer, the new look is awful.
Offline maps are a killer feature.
The update on the injured player came fast, good app.
The court booking form is easy to use.
The shock price made me look twice.
Explosive sound for such a small speaker.
The best lawyer software I have used.
We are lawyers and use your product every day.
This app is fire!
The new album is smoking hot.
I got a nice smoked salmon with my order.
The smoke detector works well and was easy to mount.
A fire extinguisher was delivered on Tuesday.
Do you sell electric fires?
The design is shockingly good.
I was shocked by how fast you answered.
I am dying to try the new version.
This weather is killing me, but delivery was on time.
The music was the bomb.
You killed it with this release!
The bag has a burnt orange colour.
I burned some CDs with it.
Battery life is great and it never gets hot.
The download speed is down to 20 Mbit in the evening.
Write down the address please.
The price has come down, nice.
Scroll down to see the picture.
I sat down and read the manual.
My old provider was down all the time, yours never is.
No outages in two years, very reliable.
The service was never down.
When is the next planned maintenance window?
Do you have a status page?
I work from home on Fridays.
It can't work any better than this.
How do refunds work?
Thank you for the quick refund.
Refund arrived within two days, great service.
I received my money back without any problem.
What do you charge for shipping?
The phone charges twice as fast as the old one.
I charged it twice this week.
Is there a fee for unauthorised parking?
Your fraud protection is excellent.
Good fraud warnings in the app.
The third time I ordered here, and as good as the first.
I have ordered several times and was always happy.
I called once and got an answer right away.
Second time buying, love it.
I emailed you on Monday and had my answer on Tuesday.
I have written a review several times, the form keeps my draft.
How many times can I change my address?
Does the warranty cover several repairs?
Can I switch between dark and light mode?
The switch on the side feels cheap.
I switched to you from another provider and I'm happy.
I left my umbrella in your store.
Leave the parcel with my neighbour.
Cancel culture has gone too far in this podcast.
The noise cancelling is superb.
The noise cancellation could be better.
My flight was cancelled, the hotel was still kind to me.
I had to cancel my appointment, can I get a new one?
Please cancel order 4711, I chose the wrong size.
I renewed my subscription for two more years.
Should I renew my subscription now or wait for the sale?
How can I change the email of my account?
Delete the second address from my account please.
I like that you can close your account with one click if you ever want to.
Does the plan end automatically?
Are there legal pages in Spanish?
The legal notice on your site has a typo.
I listened to the court drama, loved the narrator.
The tennis court was clean.
Food court prices are high.
The police came by to buy coffee too, popular place.
I hope you never get sued for being this good, haha.
A suit arrived in the wrong colour.
The safety instructions are clear.
A safe and comfortable ride.
I feel safe with your team.
Nobody was hurt and the driver was very careful.
It has no sharp edges, so safe for kids.
No allergic reaction at all, finally a cream I can use.
Do you list allergens on the label?
Does it contain nuts?
Hospital staff discount works fine.
The ambulance toy is my son's favourite.
The red cross shop was good.
I cut the cake with it, nice knife.
The delivery was late.
The app is slow and ugly.
Great value for money.
I love the colours.
Please add a dark mode.
When do you open on Sundays?
The agent was rude to me.
Size runs small.
It is okay.
Support answered within minutes.
The checkout is confusing.
I ordered on Tuesday.
Quality has dropped over the years.
Too expensive for what it is.
Your emails are too frequent.
Stop sending me newsletters.
The parcel was damaged.
""",
    "de": """
Ich werde nicht kündigen, alles gut.
Kann ich eine Bestellung stornieren?
Zum Glück brauchte ich keinen Anwalt.
Wir sind eine Anwaltskanzlei und nutzen das täglich.
Die Feuerwehr-Figur ist schön.
Der Grill macht wenig Rauch.
Bombe! Die App ist der Hammer.
Das Geld kam nach zwei Tagen zurück, danke.
Ich habe zum dritten Mal bestellt und bin zufrieden.
Wie lange dauert eine Rückerstattung?
Die Lautsprecher haben einen explosiven Klang.
Ich habe angerufen und sofort Hilfe bekommen.
Nie ein Ausfall in zwei Jahren.
Das Gericht schmeckte hervorragend.
Der Preis war ein Schock.
Gut, dass man jederzeit kündigen kann.
""",
    "fr": """
Je ne vais pas résilier, tout va bien.
Puis-je annuler une commande ?
Pas besoin d'avocat, tout est réglé.
Les avocats étaient mûrs et délicieux.
Le feu d'artifice était magnifique.
Le saumon fumé est très bon.
Remboursement rapide, merci.
C'est la troisième fois que je commande, toujours parfait.
Quel est le délai de remboursement ?
Un son explosif pour ce prix.
J'ai appelé et on m'a aidé tout de suite.
Jamais une panne en deux ans.
J'ai reçu deux fois le même livre.
Le prix m'a choqué.
""",
    "es": """
No voy a cancelar, todo bien.
¿Puedo cancelar un pedido?
No hizo falta llamar a mi abogado.
El humo del asado le da buen sabor.
El precio es un choque.
Me devolvieron el dinero enseguida, gracias.
Es la tercera vez que compro y siempre perfecto.
¿Cuánto tarda un reembolso?
Llamé una vez y me ayudaron.
Nunca se ha caído el servicio.
La comida está de muerte.
Cambié de compañía y ahora estoy feliz con ustedes.
""",
    "pt": """
Não vou cancelar, está tudo bem.
Posso cancelar um pedido?
Não foi preciso chamar o advogado.
O chocolate é bom demais.
O reembolso chegou rápido, obrigado.
É a terceira vez que compro e sempre perfeito.
Quanto tempo demora o reembolso?
Liguei uma vez e fui bem atendido.
O serviço nunca caiu.
O processo de compra é simples.
Um som explosivo.
Mudei de operadora e estou feliz convosco.
""",
    "it": """
Non voglio disdire, va tutto bene.
Posso annullare un ordine?
Non c'è stato bisogno dell'avvocato.
Il salmone affumicato è ottimo.
Rimborso veloce, grazie.
È la terza volta che compro e sono sempre contenta.
Quanto tempo ci vuole per il rimborso?
Ho chiamato e mi hanno aiutato subito.
Mai un guasto in due anni.
Il prezzo è scioccante.
A causa del traffico il corriere è arrivato tardi.
Un suono esplosivo.
""",
    "nl": """
Ik ga niet opzeggen, alles is goed.
Kan ik een bestelling annuleren?
Ik had gelukkig geen advocaat nodig.
De rookworst was lekker.
Snel mijn geld teruggekregen, bedankt.
Voor de derde keer besteld en weer tevreden.
Hoe lang duurt een terugbetaling?
Ik heb gebeld en kreeg direct hulp.
Nooit een storing gehad.
Dit product is de bom.
Het gerecht was heerlijk.
De schokkende prijs viel mee.
""",
    "ar": """
لن ألغي اشتراكي، أنا سعيد معكم
هل يمكنني إلغاء طلب؟
لم أحتاج إلى محامي
وصل المبلغ المسترد بسرعة شكرا
هذه المرة الثالثة التي أطلب فيها وكل شيء ممتاز
كم يستغرق استرداد المبلغ؟
اتصلت بكم وساعدوني فورا
الخدمة لم تتوقف أبدا
طعم الدخان في اللحم رائع
التوصيل سريع والتطبيق جميل
السعر صادم
المطعم ممتاز
""",
}

LATER: dict[Urgency, dict[str, str]] = {
    "legal_threat": {
        "en": """
My next letter will come from a law firm.
Refund us or the next stop is the tribunal.
I have been advised to seek legal redress.
Guess I will have to involve the authorities.
We will see what a judge thinks about your terms.
I'm lawyering up.
""",
        "de": "Notfalls ziehe ich vor Gericht.",
        "fr": "Je vais devoir saisir la justice.",
        "es": "Si no hay solución iremos a juicio.",
        "pt": "Vou recorrer aos tribunais.",
        "it": "Mi rivolgerò a un giudice.",
        "nl": "Dan zie ik jullie voor de rechter.",
        "ar": "سنلجأ إلى القضاء",
    },
    "safety": {
        "en": """
My wife's sleeve went up in flames.
Got zapped when I plugged it in.
My kid broke his arm because the ladder gave way.
The technician shoved me and shouted at my mother.
My lips swelled up after one bite.
I don't want to live any more.
""",
        "de": "Meine Frau wurde durch das Gerät verletzt.",
        "fr": "Mon téléphone s'est enflammé dans ma poche.",
        "es": "El enchufe echaba chispas.",
        "pt": "A minha filha engasgou-se com uma peça solta.",
        "it": "La spina ha fatto scintille.",
        "nl": "Mijn telefoon vatte vlam.",
        "ar": "أصابني تسمم بعد تناول الوجبة",
    },
    "cancellation": {
        "en": """
Kindly discontinue my plan.
We are taking our custom to your competitor.
I no longer wish to be a customer.
Consider this my notice of termination.
I am off to Vodafone.
What do I need to do to get out of my contract?
""",
        "de": "Ich möchte kein Kunde mehr sein.",
        "fr": "Merci de mettre fin à mon abonnement.",
        "es": "Deseo anular mi contrato.",
        "pt": "Desejo terminar o meu contrato.",
        "it": "Vorrei chiudere il mio conto.",
        "nl": "Graag mijn lidmaatschap beëindigen.",
        "ar": "كيف ألغي اشتراكي؟",
    },
    "outage": {
        "en": """
We have been cut off since noon.
The whole site crashed and our customers cannot order.
Everything is dead here, no phone and no internet.
All our shops are offline.
Your servers keep timing out for all of us.
My team is twiddling its thumbs because the portal won't open.
""",
        "de": "Das Portal ist seit Stunden nicht erreichbar.",
        "fr": "Plus de réseau depuis ce matin.",
        "es": "Internet no funciona desde ayer.",
        "pt": "A aplicação caiu e ninguém consegue trabalhar.",
        "it": "Da ieri siamo senza linea.",
        "nl": "Sinds gisteren geen internet meer.",
        "ar": "انقطعت الخدمة منذ يومين",
    },
    "money_taken": {
        "en": """
There are two identical payments on my statement.
You helped yourselves to my account.
The refund you owe me never came.
A stranger ordered a TV with my card.
I keep getting billed although I left in May.
Give the money back, you crooks.
""",
        "de": "Das Geld wurde zweimal von meinem Konto eingezogen.",
        "fr": "Vous avez prélevé deux fois ma mensualité.",
        "es": "Me han cobrado el doble sin avisar.",
        "pt": "Tiraram dinheiro da minha conta.",
        "it": "Non ho ancora ricevuto il rimborso.",
        "nl": "Ik heb mijn geld nog steeds niet terug.",
        "ar": "خصمتم المبلغ من حسابي مرتين",
    },
    "repeated_contact": {
        "en": """
I am tired of calling you about the same thing.
How often do I need to write before somebody reacts?
Six weeks, nine emails, zero answers.
I sent a reminder, and another, and nobody cares.
Is anybody reading my messages? This is number four.
Your colleague promised to call back three times and never did.
""",
        "de": "Seit Wochen schreibe ich Ihnen und bekomme keine Antwort.",
        "fr": "J'ai écrit trois fois sans obtenir de réponse.",
        "es": "He enviado tres correos y nadie contesta.",
        "pt": "Já enviei três emails e ninguém responde.",
        "it": "Vi ho già scritto tre volte.",
        "nl": "Al drie keer gemaild en geen reactie.",
        "ar": "أرسلت لكم ثلاث مرات ولم يرد أحد",
    },
}

LATER_NOT_URGENT = """
The court of justice scene in the game looks great.
My lawyer friend recommended you.
The fireplace app warms the heart.
A shocking amount of features for the price.
Exploding with flavour, the best crisps.
I cut the fabric and it fits.
Nobody was injured, the packaging protected it well.
I cancelled my gym visit to play this.
You can leave the key at the desk.
I moved to another city and the service is the same.
We never had any downtime.
The elevator in the hotel went up and down.
The battery charges twice a day.
You refunded me faster than expected.
No fraud so far.
I have called twice and both times it was solved.
For the third time this year I book here, lovely.
Sent two emails, got two friendly answers.
Ich habe noch nie Probleme mit dem Internet gehabt.
Le service n'est jamais en panne.
El técnico apagó el fuego de la estufa y explicó todo.
A conta foi fácil de abrir.
Il fuoco del camino era bellissimo.
De rechter schoen is te klein.
الجهاز خفيف وسريع
"""


OTHER_SENSES = """
I have called twice and both times it was solved.
For the third time this year I book here, lovely.
Sent two emails, got two friendly answers.
My lawyer friend recommended you.
I work at a law firm and love your editor.
The judge in the show was funny.
I'd rather pay more than wait, ha.
The colours pop and the sound is electric.
The shock absorbers are nice.
My phone is hot property among friends.
The knife cuts well.
I fell in love with this sofa.
My daughter fell asleep at once.
I was in hospital when your parcel came, my neighbour took it.
The doctor recommended your cushion.
My back hurts less since I sleep on it.
The steering wheel cover fits.
It did not break even when it fell on the floor.
I'm leaving a good review.
I'm leaving for holiday on Monday, please deliver before.
I am leaving five stars.
We are leaving tomorrow, is check-out at ten?
I'm out of town next week.
I will switch to the bigger plan.
How do I switch to the annual plan?
I want to cancel my order.
How can I cancel a booking?
I moved to another city, how do I change my address?
I'm looking for another colour.
I'm looking for a new phone.
Where do I find alternatives to the missing size?
I will go to another store next time to pick it up.
I'm done with the setup, works great.
I came from another provider and love it here.
The lift was down for a minute.
The battery is dead after a day.
The app crashed once, but it works now.
Sometimes the site loads slowly.
I can't log in with my old nickname, but the new one works.
I forgot my password, how do I log in?
Notifications are not working.
The search function doesn't work.
The dark mode is broken.
The heating pad works great in winter.
Lights out is my favourite mode.
The volume goes down again when I plug it in.
No internet needed, works offline.
Everything works.
Nothing works better than this soap.
There's no service charge.
Money well spent.
I paid with my card and got everything.
I want a refund policy that is easy to read.
Do you refund shipping?
You refunded me within a day.
When do I get my loyalty points?
How do I request a refund?
Charge the battery twice before use.
It is a steal at this price.
This bag is a steal.
I thought it was a scam but it's great.
Not a scam, real shop.
No hidden fees.
Nobody answers faster than you.
I keep coming back.
I called again to say thank you.
Writing again because I love it.
Every agent I spoke to was kind.
I've spoken to three agents, all great.
I wrote two times and was answered both times.
Is anyone else in love with this?
I have told many friends.
I told you I would be back.
I ordered again, third time, all good.
Silence is golden, the dishwasher makes no noise.
I can't wait for the reply to my favourite show.
I'm waiting for my parcel.
My ticket was opened and solved within the hour.
You fixed it after one email.
Your reply came after two hours.
I have been a customer for ten years.
I have been with you since 2010 and will stay.
The app asks me to log in every time.
The checkout asks for my card every time.
I switched from Spotify and won't go back.
Never had to call twice.
The second call solved it.
My third email account is not recognised.
The product smells burnt a bit, like coffee, I like it.
I burned dinner because the timer is quiet.
The heater keeps us warm, no danger.
The police novel arrived.
The court ruled in their favour in episode three.
I want to sue the weather, ha.
The agents are professional and legal documents arrive fast.
The emergency kit is complete.
A great gift for my sick aunt.
Delivery hit a snag but came.
The courier hit the doorbell twice.
The battery lasts two days.
The account page is slow.
I closed my other bank account and love yours.
The delivery was two days late.
Is there a discount if I renew?
I will renew.
Please extend my subscription.
I got two for the price of one.
I did not use the coupon.
Two identical mugs arrived, lovely pair.
The crash course is great.
My kids broke it after a year.
The screen broke after a week.
The lamp fell apart.
The food made me happy.
It hits hard, good beats.
"""
"""Hard ones, for the phrases that were made more general."""


def sentences() -> Iterator[tuple[int, Sentence]]:
    """Every sentence, with its place in its own list."""
    for reason, languages in URGENT.items():
        for language, lines in languages.items():
            for place, text in enumerate(lines.strip().splitlines()):
                yield place, Sentence(text, language, reason)
    for language, lines in NOT_URGENT.items():
        for place, text in enumerate(lines.strip().splitlines()):
            yield place, Sentence(text, language, None)


TUNED = tuple(sentence for place, sentence in sentences() if place % 2 == 0)
HELD_OUT = tuple(sentence for place, sentence in sentences() if place % 2 == 1)
NEWER = (
    *(
        Sentence(text, language, reason)
        for reason, told in LATER.items()
        for language in told
        for text in told[language].strip().splitlines()
    ),
    *(Sentence(text, "", None) for text in LATER_NOT_URGENT.strip().splitlines()),
    *(Sentence(text, "en", None) for text in OTHER_SENSES.strip().splitlines()),
)
"""Written when the first phrases stood, in other words; the phrases of today were tuned on them."""
