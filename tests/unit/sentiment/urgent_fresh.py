"""Customers' comments, and why each should not wait, to count what the phrases find among words they were not made from.

They were written by somebody who hadn't seen the phrases, nor the sentences that the phrases were tuned on. They are only
ever counted, never tuned on: a phrase that is added because of one of them makes the count worth nothing. They were made up,
by one writer (a language model) in one sitting, in the manner of tickets, surveys and app reviews: no customer wrote them,
and no native speaker has read the seven other languages. Four that happened to be in the older lists word for word were
written anew.

A line is a comment; a backslash at its end carries it on to the next.
"""

from typing import Literal

from tests.unit.sentiment.urgent_sentences import Sentence

Reason = Literal["legal_threat", "safety", "cancellation", "outage", "money_taken", "repeated_contact"]

_URGENT: dict[Reason, dict[str, str]] = {
    "legal_threat": {
        "en": """
            My solicitor will be in touch on Monday.
            See you in small claims.
            I've passed all of this to a lawyer because frankly I don't trust you to put it right.
            If the fence isn't repaired within 14 days I will issue proceedings without further notice.
            I am reporting this to the Financial Ombudsman today
            You are in breach of the Consumer Rights Act and I intend to enforce it, through a judge if I have to.
            Filed a complaint with the BBB and the state attorney general, good luck
            i will sue
            Consider this a letter before action.
            Police report filed this morning, reference number to follow. Your driver walked off with my parcel.
            We have instructed counsel and ask that you preserve every email and call recording on this account.
            1 star. Sold me a car with a wound back odometer, trading standards already have the file
            You published my address without consent. That's a GDPR breach and the ICO is going to hear about it.
            My husband is an attorney and he says we have a very strong case, so think carefully about your next reply.
            Either you honour the warranty or we let a court decide.
            I'll be lodging a dispute with Fair Trading and asking for damages for the ruined carpet.
            Thinking of joining the class action against you lot, where do I sign
            The landlord tribunal date is set for the 9th and you will be named as the second respondent.
            Hello, I've been patient and polite. The laptop you sold me as new has someone else's photos on it. I have spoken to \
my legal team and they advise me to claim for the full price plus costs, so please tell me where papers should be served.
            If Ofcom wont make you behave then maybe a summons will.
        """,
        "de": """
            Ich habe die Sache jetzt meinem Anwalt übergeben.
            Sollte bis Freitag nichts passieren, sehen wir uns vor Gericht.
            Die Verbraucherzentrale ist informiert und prüft bereits eine Klage gegen Sie.
            Ihr Fahrer ist nach dem Parkrempler einfach weg, ich war heute bei der Polizei und habe Anzeige erstattet.
        """,
        "fr": """
            Sans réponse de votre part sous huitaine, je saisirai le tribunal.
            Mon avocat vous adressera une mise en demeure cette semaine.
            J'ai signalé vos pratiques à la DGCCRF, on verra si ça vous fait rire
            J'ai déposé plainte au commissariat contre votre livreur, qui a forcé ma boîte aux lettres.
        """,
        "es": """
            Esta misma tarde les denuncio ante la Guardia Civil.
            Mi abogada ya tiene todos los papeles, nos veremos en el juzgado
            He presentado una hoja de reclamaciones en Consumo y llegaré hasta donde haga falta.
            Si no respetan la garantía emprenderé acciones legales contra su empresa.
        """,
        "pt": """
            Vou entrar com um processo no Juizado Especial.
            Já abri reclamação no Procon, aguardem a notificação
            O meu advogado vai contactar-vos nos próximos dias.
            Fiz boletim de ocorrência contra a loja, isso que vocês fizeram é crime.
        """,
        "it": """
            Ho dato mandato al mio avvocato di procedere contro di voi.
            Vi denuncio, domani vado dai carabinieri.
            Segnalerò tutto all'AGCM e alle associazioni dei consumatori
            Se la caldaia non viene sostituita in garanzia ci vediamo in tribunale.
        """,
        "nl": """
            Ik schakel nu mijn rechtsbijstand in.
            Dan zien we elkaar wel voor de rechter.
            Heb aangifte gedaan bij de politie tegen jullie monteur
            Morgen dien ik een klacht over jullie in bij de Autoriteit Persoonsgegevens.
        """,
        "ar": """
            سأرفع عليكم قضية في المحكمة.
            المحامي تبعي راح يتواصل معكم هالأسبوع
            قدمت شكوى ضدكم لدى حماية المستهلك وأنتظر الإجراء القانوني.
            بلغت الشرطة عن المندوب الذي سرق محتويات الطرد.
        """,
    },
    "safety": {
        "en": """
            The charger caught fire on my bedside table.
            got a shock off the kettle when i touched the handle
            My daughter came out in hives after eating the bar marked nut free, we ended up in A&E.
            Smoke is coming out of the back of the fridge
            Found a piece of glass in the baby food. She had already swallowed some.
            The ladder gave way and I've broken my wrist.
            Battery swelled up and got so hot it burned my leg through my jeans.
            Whole family sick with food poisoning after last night's delivery, my father is on a drip.
            There's a strong smell of gas since your engineer left and we all have headaches.
            I don't want to be here any more. I don't see the point in living and your app is the only thing I'm talking to.
            Brakes failed going downhill. I could have been killed.
            the blender jug exploded and cut my hand, 6 stitches
            Please recall this cot, the side drops on its own and my son's arm was trapped for minutes.
            Sparks flying from the socket adapter every time it's plugged in
            I am allergic to shellfish, said so twice on the order, and was served prawns. My throat closed up \
and I needed an EpiPen.
            Carbon monoxide alarm went off an hour after the boiler service.
            Your face cream burnt my skin, I've got blisters all along my jaw and one eye is swollen shut
            Lovely looking hairdryer but flames shot out of it on day two, singed half my fringe off.
            I keep thinking about hurting myself tonight and I have nobody to talk to.
            The dog chewed one of your so called pet safe toys and is now at the emergency vet being treated for zinc toxicity.
        """,
        "de": """
            Das Netzteil hat angefangen zu brennen.
            Beim Anfassen der Lampe habe ich einen Stromschlag bekommen
            Mein Sohn hatte nach dem Müsli einen allergischen Schock, Haselnuss stand nicht auf der Packung.
            Die Leiter ist unter mir zusammengebrochen, ich liege mit gebrochenem Knöchel im Krankenhaus.
        """,
        "fr": """
            Le grille-pain a pris feu dans ma cuisine.
            J'ai reçu une décharge électrique en branchant l'appareil
            Intoxication alimentaire pour toute la table après vos huîtres, ma mère est hospitalisée.
            La chaise haute a basculé et ma fille s'est ouvert le front.
        """,
        "es": """
            Sale humo del cargador y huele a quemado.
            Me dio un calambrazo la lavadora
            Mi hijo acabó en urgencias con una reacción alérgica por culpa de su salsa.
            La olla a presión explotó y tengo quemaduras en los dos brazos.
        """,
        "pt": """
            A bateria do celular explodiu na minha mão.
            Levei um choque no chuveiro que vocês instalaram
            Passamos mal a noite toda depois da vossa comida, o médico falou em intoxicação.
            O meu bebé engoliu uma peça que se soltou do brinquedo e quase sufocou.
        """,
        "it": """
            Il phon ha preso fuoco mentre lo usavo.
            Ho preso la scossa toccando il forno
            Mia moglie è finita al pronto soccorso con uno shock anafilattico, l'etichetta non riportava le arachidi.
            La vite della bici ha ceduto in discesa, sono caduto e mi sono rotto la clavicola.
        """,
        "nl": """
            Er komt rook uit de wasdroger!
            Ik kreeg een flinke schok van de waterkoker
            Mijn dochter heeft brandwonden door jullie kruik, de dop sprong er zomaar af.
            Na het eten van de kipsalade lag ik met een voedselvergiftiging in het ziekenhuis.
        """,
        "ar": """
            الشاحن احترق وكاد البيت يشتعل.
            صعقتني الكهرباء من السخان
            ابنتي دخلت المستشفى بسبب تسمم من وجبتكم.
            انكسر الكرسي تحت والدي وأصيب في ظهره إصابة بالغة.
        """,
    },
    "cancellation": {
        "en": """
            Please cancel my subscription.
            how do i close my account
            We've decided not to renew. Thanks for the last three years.
            I'm off to your competitor, their plan is half the price and does the same
            Where in the app is the button to end my membership? I can't find it anywhere
            Terminate the contract with effect from the end of this month and confirm in writing.
            Uninstalled. Went back to Spotify.
            I no longer wish to be a customer of yours. Kindly delete my profile.
            After twelve years with you we're moving our whole fleet to another insurer in April.
            What notice do I have to give to get out of my broadband contract?
            I'd like to stop the weekly veg box, we're getting an allotment.
            Please take this email as my 30 days notice.
            That price rise was the last straw, I have switched to Octopus.
            Hi, my mum passed away last week and I need to have her phone line disconnected, what do you need from me?
            The board voted yesterday to migrate the 240 seats off your platform before the licence \
expires, so please don't auto renew.
            cancel everything. done with this company
            Not worth the money since you dropped the offline mode so I'm not staying past the trial.
            Can you send me my PAC code, I'm taking my number elsewhere
            Decent gym, nice people, but I'm relocating to Leeds and need to quit. What's the process?
            You've lost me to Monzo. Account to be closed once the balance hits zero.
        """,
        "de": """
            Hiermit kündige ich meinen Vertrag fristgerecht zum 31.12.
            Wo kann ich in der App mein Abo beenden?
            Nach der Preiserhöhung wechsle ich zur Konkurrenz
            Bitte löschen Sie mein Konto, ich brauche den Dienst nicht mehr.
        """,
        "fr": """
            Je souhaite résilier mon abonnement.
            Comment fait-on pour clôturer son compte ?
            Trop cher, je pars chez Free
            Merci de ne pas reconduire notre contrat, nous avons choisi un autre prestataire.
        """,
        "es": """
            Quiero darme de baja.
            ¿Cómo cancelo mi suscripción? No encuentro la opción
            Me cambio de compañía a final de mes, en otra me dan el doble de datos por menos.
            Les comunico que no vamos a renovar el contrato de mantenimiento.
        """,
        "pt": """
            Quero cancelar o meu plano.
            como faço pra encerrar minha conta?
            Vou mudar para a concorrência, já assinei com outra operadora.
            Solicito a rescisão do contrato a partir de 1 de março.
        """,
        "it": """
            Vorrei disdire l'abbonamento.
            Come si chiude il conto?
            Passo a un altro gestore, qui i prezzi salgono ogni anno
            Con la presente comunico il recesso dal contratto n. 4471.
        """,
        "nl": """
            Per 1 mei zeg ik het contract voor de krant op, we lezen hem nauwelijks nog.
            hoe kan ik mijn account verwijderen
            We stappen per 1 januari over naar een andere leverancier.
            Graag mijn lidmaatschap stopzetten, ik ga verhuizen.
        """,
        "ar": """
            لو سمحتوا وقفوا الباقة من الشهر القادم، ما عاد أحتاجها.
            كيف أقفل حسابي نهائيا؟
            قررت الانتقال إلى شركة ثانية، أسعاركم صارت مبالغ فيها
            نرجو إنهاء العقد وعدم تجديده للسنة القادمة.
        """,
    },
    "outage": {
        "en": """
            Is the site down? Nobody in our office can get in.
            No internet since 6am, entire street affected
            Can't log in. Password is right, it just says "something went wrong".
            App crashes the second it opens, totally unusable since the update
            All our tills are offline and there's a queue out the door.
            The API has been returning 503 for every request for the last forty minutes.
            Whole team locked out of the dashboard, we can't work.
            No signal anywhere in town today. My neighbours on your network have the same.
            We are a pharmacy and the prescription system is completely dead, please escalate.
            your servers are down AGAIN
            Login page loops back to itself on Chrome, Safari and my phone. I've no way into my account and payroll \
is due at noon.
            Nothing loads. White screen on every device.
            Heating has been out in all 60 flats since last night
            Card machine says host unreachable and we've had to turn customers away all morning
            Emails have stopped arriving for the entire company as of about 9:15, sending fails as well.
            Two factor code never arrives so I am shut out
            Everything was fine at lunch, now every one of our warehouses sees a gateway timeout and no orders can ship.
            I can't sign in!!! help
            Water supply cut off without warning, whole building dry.
            Booking portal unavailable for all branches, been staring at the maintenance page for three hours
        """,
        "de": """
            Seit heute früh kein Internet mehr, das ganze Haus ist betroffen.
            Ich komme nicht mehr in mein Konto rein, die Anmeldung schlägt jedes Mal fehl
            Ihre Server sind down, bei uns steht der ganze Betrieb still.
            Nach dem Update startet die App überhaupt nicht mehr.
        """,
        "fr": """
            Plus aucun réseau depuis ce matin dans tout le quartier.
            Impossible de me connecter, ça tourne dans le vide
            Le site est en panne, toute l'équipe est à l'arrêt.
            Erreur 500 sur toutes les pages, nos vendeurs ne peuvent plus rien encaisser.
        """,
        "es": """
            El servicio está caído, nadie en la oficina puede trabajar.
            No puedo entrar en mi cuenta
            Llevamos desde las ocho sin luz en todo el edificio.
            La aplicación se cierra sola nada más abrirla, no hay manera de usarla
        """,
        "pt": """
            O sistema está fora do ar e a loja está parada.
            não consigo entrar no aplicativo de jeito nenhum
            Estamos sem internet desde ontem à noite, a rua inteira.
            Ninguém da empresa consegue aceder à plataforma, dá sempre erro de ligação.
        """,
        "it": """
            Il servizio non funziona da stamattina, siamo tutti bloccati.
            Non riesco più ad accedere al mio account
            Siamo senza linea in tutto il paese
            Il gestionale è irraggiungibile da ogni sede e non possiamo emettere fatture.
        """,
        "nl": """
            Er is een storing, niemand op kantoor kan inloggen.
            Ik kom er niet meer in, telkens foutmelding
            De hele wijk zit zonder internet.
            Jullie platform ligt plat en onze webshop staat daardoor stil.
        """,
        "ar": """
            الموقع لا يعمل منذ الصباح ولا أحد منا يستطيع الدخول.
            ما أقدر أسجل دخول للتطبيق
            النت مقطوع عن الحي كله
            النظام متوقف تماما في جميع الفروع والعمل معطل.
        """,
    },
    "money_taken": {
        "en": """
            I've been charged twice for the same order.
            Who authorised this £89.99 payment? It certainly wasn't me.
            you took money from my card after the free trial without asking
            Returned the boots five weeks ago and still no refund on my statement.
            Someone has got into my account and spent $640 on gift cards.
            Payment went out on the 1st and then the exact same amount again on the 3rd. It's left me overdrawn.
            Give me my money back, you sent an empty box
            There are three transactions on my credit card from your company that I do not recognise.
            The hotel confirmed my refund but you are refusing to release it.
            Double billed this month, please reverse one of them
            My card was cloned at your petrol station and €300 is gone.
            You debited the annual fee although I only ever agreed to pay monthly.
            The ATM swallowed the cash I was depositing and my balance never changed. $1,200!
            Ride was cancelled by the driver, I still got billed the full fare. Want that returned.
            Order never shipped, the shop has vanished from your marketplace and my 450 pounds with it.
            Unauthorized charge of 14.99 every single week since June. I never subscribed to anything
            My savings account has been emptied by a fraudster who rang pretending to be your security department.
            overcharged by 200 bucks, invoice says 99 and you pulled 299
            Gold star for the food, but the waiter ran my card two times and both went through.
            My pension payment was withdrawn by direct debit for somebody else's electricity bill.
        """,
        "de": """
            Der Betrag wurde doppelt von meinem Konto abgebucht.
            Wo bleibt meine Erstattung? Die Ware ist seit vier Wochen wieder bei Ihnen
            Diese Abbuchung über 79 Euro habe ich nie genehmigt.
            Jemand hat mit meiner Kreditkarte bei Ihnen eingekauft, das war ich nicht.
        """,
        "fr": """
            J'ai été débité deux fois pour la même commande.
            Un prélèvement de 49 € que je n'ai jamais autorisé
            Vous refusez de me rembourser alors que le vol a été annulé par vos soins.
            On a piraté mon compte et passé pour 800 euros d'achats avec ma carte.
        """,
        "es": """
            Me han cobrado dos veces el mismo pedido.
            Tengo un cargo en la tarjeta que no reconozco
            Devolví el abrigo hace un mes y siguen sin reembolsarme el dinero.
            Han usado mi cuenta para comprar sin mi permiso, me faltan 350 euros.
        """,
        "pt": """
            Fui cobrado em duplicidade na fatura deste mês.
            Debitaram da minha conta um valor que eu não autorizei
            Cadê o meu estorno? O pedido não foi enviado e ficaram com o dinheiro.
            Clonaram o meu cartão e fizeram compras de 2 mil reais na vossa loja.
        """,
        "it": """
            Mi avete addebitato due volte lo stesso importo.
            C'è un pagamento di 60 euro che non ho mai autorizzato
            Ho reso il pacco un mese fa e il rimborso non si è visto.
            Qualcuno ha svuotato la mia carta prepagata tramite la vostra app.
        """,
        "nl": """
            Jullie hebben mijn factuur van maart dubbel geïncasseerd.
            Ik herken deze incasso van 45 euro niet
            Waar blijft mijn geld? De retour is drie weken geleden al ontvangen.
            Iemand heeft via mijn account voor 500 euro besteld, dat is fraude.
        """,
        "ar": """
            خصمتم المبلغ مرتين من بطاقتي.
            في عملية سحب على حسابي ما سويتها أنا
            رجعت المنتج من شهر وما رجعتوا فلوسي
            تم اختراق حسابي وسرقة كل الرصيد الموجود في المحفظة.
        """,
    },
    "repeated_contact": {
        "en": """
            This is the fourth time I'm writing about the same missing part.
            still waiting for an answer. 3 emails so far
            Called on Monday, called on Wednesday, called today. Every time someone promises to ring back and no one does.
            I have explained this to six different agents now.
            Third ticket about the squeaky hinge, the other two were closed without a word
            Does anybody actually read these messages? I've sent five.
            Following up yet again on my request from 2 March.
            How many more times do I have to chase you for a delivery date?
            Have contacted support numerous times, nothing but automated replies
            I keep getting passed from department to department and have to start over with each of them.
            Reminder number 4: please send the corrected invoice.
            Asked the same question in chat, by phone and on Twitter over the past month. Silence.
            My previous emails have all gone unanswered so I'll try the survey box instead.
            Once more, since nobody responded to my last three messages: is the part in stock or not?
            Rang eleven times this week. ELEVEN.
            ive been on to you over and over about the wrong name on my bill and its still wrong
            As I said in my letters of January, February and April, the meter reading belongs to the flat next door.
            I've lost count of how often I have had to raise this
            Second week running that I'm back on the phone about this sofa leg, and again I was told someone would look into it.
            Whenever I call they open a new case and close the old one; we're at case number seven.
        """,
        "de": """
            Das ist jetzt meine fünfte Mail zu diesem Thema.
            Ich habe schon mehrmals angerufen, passiert ist nichts
            Trotz dreimaliger Erinnerung fehlt die korrigierte Rechnung bis heute.
            Zum wiederholten Mal: Wann kommt das Ersatzteil? Auf meine letzten Schreiben kam keine Antwort.
        """,
        "fr": """
            C'est la quatrième fois que je vous écris.
            Toujours aucune réponse malgré mes nombreuses relances
            J'ai appelé trois fois cette semaine et à chaque fois on me promet un rappel qui ne vient pas.
            Je dois réexpliquer mon problème à chaque nouveau conseiller, on en est au cinquième.
        """,
        "es": """
            Es la tercera vez que les escribo por lo mismo.
            He llamado mil veces y nadie me da una solución
            Sigo sin respuesta después de cuatro correos.
            Otra vez les reclamo la factura corregida, ya perdí la cuenta de los mensajes enviados.
        """,
        "pt": """
            Já é a quinta vez que entro em contato sobre isso.
            mandei vários emails e ninguém responde
            Liguei três vezes esta semana e continuo sem resposta.
            Cada atendente me passa para outro e tenho de contar a história toda de novo, já vão seis.
        """,
        "it": """
            È la terza volta che vi scrivo per lo stesso problema.
            Ho chiamato più volte, nessuno mi richiama
            Quarto sollecito: attendo ancora la fattura corretta.
            Ho aperto cinque segnalazioni e le avete chiuse tutte senza rispondere.
        """,
        "nl": """
            Dit is al de vierde keer dat ik hierover mail.
            Al meerdere keren gebeld, word nooit teruggebeld
            Na drie herinneringen heb ik nog steeds geen reactie op mijn vraag.
            Voor de zoveelste keer: wanneer komt de monteur? Ik krijg telkens een andere medewerker en nooit antwoord.
        """,
        "ar": """
            هذه المرة الرابعة التي أراسلكم فيها بخصوص نفس الموضوع.
            اتصلت أكثر من مرة ومحد رد علي
            أرسلت خمس رسائل ولم يصلني أي رد حتى الآن.
            كل مرة أكلمكم تقولون سنتصل بك ولا أحد يتصل، تعبت من المتابعة
        """,
    },
}

# Negated, solved since, other senses of the words, and questions about the rules.
_HARD: dict[str, str] = {
    "en": """
        No need to involve a lawyer over a scratched lid, a new lid would do.
        I work in a law firm and we use your scanner every day, very happy with it.
        The ball is in your court now as far as the colour choice goes.
        Loved the police drama series you added this month.
        Do you have a legal department I could send a partnership contract to?
        This vacuum is fire, best thing I've bought all year
        The Kindle Fire cover fits perfectly.
        Sticker shock when I saw the price, but the quality is there.
        Smoke grey looks nicer in real life than in the photos.
        I was worried about an allergic reaction but my skin is absolutely fine with it.
        Do the oat bars contain nuts? I like to check before I order.
        No injuries, no drama, the kids had a wonderful afternoon at the trampoline park.
        This game is killing me, level 40 is so hard lol
        Noise cancelling is superb on these headphones.
        I was going to cancel last month, but your agent sorted it and I'm glad I stayed.
        What happens to my points if I ever decide to leave?
        Can I switch from the monthly to the yearly plan?
        I switched to you from Vodafone in May and haven't looked back.
        Please cancel the gift wrapping on order 5512, I just need it in plain paper.
        The closing time on your door says 6, your website says 8.
        Site was down for a minute on Tuesday, all good since.
        Never once had an outage in four years. Impressive.
        Marked down to 20 euros, what a bargain
        I couldn't log in at first, then I noticed caps lock was on. My fault!
        The duplicate charge has been refunded already, thank you for the fast work.
        What is your refund policy on sale items?
        Phone charged twice as fast as my old one.
        Was worth every penny, nobody got ripped off here.
        Called once, got an answer in two minutes. That's how it should be.
        This is the third time I've bought this jumper, in a new colour each time.
    """,
    "de": """
        Einen Anwalt brauche ich dafür nicht, ein kurzer Hinweis im Handbuch würde mir reichen.
        Das Hauptgericht war lecker, der Nachtisch etwas zu süß.
        Wie sind eigentlich die Kündigungsfristen, bevor ich bei Ihnen abschließe?
        Die Störung von gestern ist behoben, danke für die schnelle Info.
        Habe schon zum dritten Mal hier bestellt und bin wieder zufrieden.
    """,
    "fr": """
        Le feu de cheminée virtuel de l'application est très réussi.
        Je voulais résilier mais votre conseillère a trouvé une bonne solution, je reste.
        Le remboursement est bien arrivé, merci.
        Le court de tennis de l'hôtel mériterait un nouveau filet.
    """,
    "es": """
        La app nunca se me ha caído, va muy fina.
        Ya me devolvieron el cobro duplicado, todo correcto.
        ¿Cuál es la política de cancelación para reservas de grupo?
        Este disco es una bomba, lo he escuchado mil veces.
    """,
    "pt": """
        Não houve nenhuma cobrança indevida, só queria entender a fatura.
        O processo de compra foi simples e rápido.
        O sistema voltou a funcionar ontem mesmo, obrigado.
        É a quarta vez que viajo convosco e recomendo.
    """,
    "it": """
        Volevo disdire, poi mi avete fatto una buona offerta e sono rimasto.
        Il colore rosso fuoco è bellissimo dal vivo.
        Il problema di accesso è stato risolto in cinque minuti, complimenti.
        Che condizioni ci sono per il reso degli articoli in saldo?
    """,
    "nl": """
        De storing is gelukkig alweer voorbij, alles doet het.
        Ik was even geschrokken van de prijs, maar het is het waard.
        Wat is de opzegtermijn bij een jaarabonnement? Ik overweeg lid te worden.
        Geen enkele keer hoeven bellen, alles ging vanzelf goed.
    """,
    "ar": """
        كنت ناوي ألغي الاشتراك لكن خدمة العملاء حلت المشكلة وبقيت معكم.
        الحمد لله لم يصب أحد بأي حساسية من الكريم وهو ممتاز.
        تم إرجاع المبلغ المكرر، شكرا لكم
        ما هي سياسة الاسترجاع عندكم؟
        هذه ثالث مرة أطلب من متجركم والجودة ثابتة.
    """,
}

_PLAIN: dict[str, str] = {
    "en": """
        Great coffee, friendly staff.
        Parcel came a day late but well packed.
        The sleeves are a bit long for me
        ok
        Could you add a dark mode please?
        Checkout was smooth and the courier was lovely.
        Battery lasts about two days with normal use, as advertised.
        The room was small and the pillows too soft, otherwise a pleasant stay.
        Not bad, not amazing either.
        Delivery slot was 8 to 12 and he turned up at 11:55, typical
        Do you ship to Norway?
        My kids adore the puzzle, we've done it every evening since it arrived.
        The new menu layout takes some getting used to.
        Zip feels cheap for the price.
        Instructions only in German, had to look up a video
        Five stars for Maria at the front desk!
        I'd prefer a recyclable bag over the bubble wrap.
        Search results aren't sorted by date, which makes it tedious to find older notes. Otherwise a solid little app.
        Pasta was lukewarm.
        The webinar was useful, though the second half dragged a little and there was hardly time for questions.
        Which size should I take if I'm between M and L?
        Too many ads in the free version imo
        Smells of lavender, sleeps like a dream.
        The shop could use more seating near the fitting rooms.
        Colour faded slightly after the tenth wash.
        Good value, would buy from you in future.
        Parking was tricky to find, maybe put a map in the confirmation mail
        Sound is a bit tinny at high volume.
        I expected more from the sequel, the plot was thin.
        Thanks for the quick tip about the filter setting, works nicely.
    """,
    "de": """
        Schnelle Lieferung, gern wieder.
        Die Schrift in der App ist mir zu klein
        Das Frühstück war gut, nur der Kaffee etwas dünn.
        Gibt es das Hemd auch in Dunkelgrün?
    """,
    "fr": """
        Très bon accueil, chambre un peu bruyante.
        La couleur ne correspond pas tout à fait à la photo
        Pourriez-vous proposer des portions plus petites ?
        Rien à redire, produit conforme.
    """,
    "es": """
        Muy cómodo, aunque la talla viene pequeña.
        Buena atención en la tienda de Sevilla
        El envío tardó un poco más de lo previsto.
        ¿Van a sacar una versión para tableta?
        La música estaba demasiado alta para poder charlar.
    """,
    "pt": """
        Gostei bastante, chegou bem embalado.
        o app podia ter modo escuro
        A massa da pizza estava um pouco crua no meio.
        Atendimento simpático, preço justo.
        Vocês fazem entrega aos domingos?
    """,
    "it": """
        Ottimo rapporto qualità prezzo.
        Il tessuto è più sottile di quanto pensassi
        Personale gentile, ma si aspetta parecchio alla cassa.
        La nuova grafica è carina, il menu però è meno comodo.
    """,
    "nl": """
        Prima product, snel geleverd.
        Leuke sfeer, eten was gemiddeld.
        Kan ik de bestelling ook in de winkel ophalen?
        De handleiding had wel wat duidelijker gemogen.
    """,
    "ar": """
        منتج جميل والتغليف ممتاز.
        التوصيل تأخر يوم واحد بس
        هل يتوفر اللون الأزرق بمقاس كبير؟
        الطعام لذيذ لكن الحصة صغيرة مقارنة بالسعر.
    """,
}


def _comments(blocks: dict[str, str], reason: Reason | None) -> list[Sentence]:
    return [Sentence(line.strip(), language, reason) for language, block in blocks.items() for line in block.strip().splitlines()]


FRESH: tuple[Sentence, ...] = tuple(
    sentence for reason, blocks in (*_URGENT.items(), (None, _HARD), (None, _PLAIN)) for sentence in _comments(blocks, reason)
)
